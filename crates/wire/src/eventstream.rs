//! Messages of an event stream: lengths, headers, a payload, and checksums over both.

/// An event of this type.
pub fn message(kind: &str, content_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":event-type", kind), (":content-type", content_type), (":message-type", "event")]
    {
        headers.push(u8::try_from(name.len()).expect("a short name"));
        headers.extend_from_slice(name.as_bytes());
        // Seven says that text follows.
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).expect("a short value").to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).expect("a message is small").to_be_bytes();
    let mut message = Vec::with_capacity(16 + headers.len() + payload.len());
    message.extend_from_slice(&length(16 + headers.len() + payload.len()));
    message.extend_from_slice(&length(headers.len()));
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&headers);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn a_message_is_laid_out_as_clients_read_it() {
        let bytes = message("A", "b", b"xyz");
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let (total, headers) = (number(0) as usize, number(4) as usize);
        assert_eq!((total, headers), (bytes.len(), 11 + 3 + 2 + 13 + 3 + 2 + 13 + 3 + 6));
        assert_eq!(number(8), crc32fast::hash(&bytes[..8]));
        assert_eq!(&bytes[12..27], b"\x0b:event-type\x07\x00\x01");
        assert_eq!(&bytes[12 + headers..total - 4], b"xyz");
        assert_eq!(number(total - 4), crc32fast::hash(&bytes[..total - 4]));
    }
}
