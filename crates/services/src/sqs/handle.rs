//! Receipt handles: which message, and which receiving of it.

use super::fault::{self, Fault};
use std::fmt;

pub(crate) struct Handle {
    pub number: u64,
    pub message_id: String,
    pub receipt: String,
}

impl Handle {
    pub fn parse(text: &str) -> Result<Handle, Fault> {
        let bytes = wire::base64::decode(text).map_err(|_| fault::bad_handle(text))?;
        let plain = String::from_utf8(bytes).map_err(|_| fault::bad_handle(text))?;
        let mut parts = plain.split(' ');
        let (number, message_id, receipt) = (parts.next(), parts.next(), parts.next());
        match (number.and_then(|number| number.parse().ok()), message_id, receipt, parts.next()) {
            (Some(number), Some(message_id), Some(receipt), None) => {
                Ok(Handle { number, message_id: message_id.to_owned(), receipt: receipt.to_owned() })
            }
            _ => Err(fault::bad_handle(text)),
        }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = format!("{} {} {}", self.number, self.message_id, self.receipt);
        f.write_str(&wire::base64::encode(plain.as_bytes()))
    }
}
