//! Bodies in `aws-chunked` form: pieces with their lengths, some with signatures, and headers behind the last one.

/// The longest line: a length with a signature, or one header of the trailer.
const LINE_MAX: usize = 2048;
/// Headers behind the body at most.
const TRAILERS_MAX: usize = 16;

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// In a line that begins a piece.
    Length,
    Data(u64),
    /// At the line end behind a piece.
    Behind,
    Trailer,
    Done,
}

/// Takes a body's bytes as they come and gives out what they carry.
#[derive(Debug)]
pub struct Chunked {
    state: State,
    line: Vec<u8>,
    trailers: Vec<(String, String)>,
}

/// The body is not in this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Default for Chunked {
    fn default() -> Chunked {
        Chunked { state: State::Length, line: Vec::new(), trailers: Vec::new() }
    }
}

impl Chunked {
    pub fn push(&mut self, mut bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            match self.state {
                State::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (piece, rest) = bytes.split_at(here);
                    data(piece);
                    bytes = rest;
                    let left = left - here as u64;
                    self.state = if left == 0 { State::Behind } else { State::Data(left) };
                }
                // Some clients end with more line ends than one.
                State::Done if bytes.iter().all(|byte| b"\r\n".contains(byte)) => return Ok(()),
                State::Done => return Err(Malformed),
                State::Length | State::Behind | State::Trailer => {
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        self.line.extend_from_slice(bytes);
                        return if self.line.len() > LINE_MAX { Err(Malformed) } else { Ok(()) };
                    };
                    self.line.extend_from_slice(&bytes[..end]);
                    bytes = &bytes[end + 1..];
                    let line = std::mem::take(&mut self.line);
                    let line = std::str::from_utf8(&line).map_err(|_| Malformed)?;
                    self.line(line.strip_suffix('\r').unwrap_or(line))?;
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), Malformed> {
        if line.len() > LINE_MAX {
            return Err(Malformed);
        }
        match self.state {
            State::Length => {
                let length = line.split(';').next().unwrap_or_default().trim();
                let length = u64::from_str_radix(length, 16).map_err(|_| Malformed)?;
                self.state = if length == 0 { State::Trailer } else { State::Data(length) };
            }
            State::Behind if line.is_empty() => self.state = State::Length,
            State::Trailer if line.is_empty() => self.state = State::Done,
            State::Trailer if self.trailers.len() < TRAILERS_MAX => {
                let (name, value) = line.split_once(':').ok_or(Malformed)?;
                self.trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => return Err(Malformed),
        }
        Ok(())
    }

    /// The headers behind the body, once it is whole.
    pub fn finish(self) -> Result<Vec<(String, String)>, Malformed> {
        match self.state {
            State::Done => Ok(self.trailers),
            // The last line end is missing from some clients' bodies.
            State::Trailer if self.line.is_empty() => Ok(self.trailers),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8], step: usize) -> Result<(String, Vec<(String, String)>), Malformed> {
        let mut chunked = Chunked::default();
        let mut out = Vec::new();
        for piece in body.chunks(step) {
            chunked.push(piece, |data| out.extend_from_slice(data))?;
        }
        Ok((String::from_utf8_lossy(&out).into_owned(), chunked.finish()?))
    }

    #[test]
    fn pieces_come_out_however_they_arrive() {
        let trailed = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
        let signed =
            b"5;chunk-signature=aa\r\nhel\r\n\r\n1;chunk-signature=bb\r\n!\r\n0;chunk-signature=cc\r\n\r\n";
        for step in [1, 2, 3, 7, 1000] {
            let trailers = vec![("x-amz-checksum-crc32".to_owned(), "NhCmhg==".to_owned())];
            assert_eq!(read(trailed, step), Ok(("hello".to_owned(), trailers)));
            assert_eq!(read(signed, step), Ok(("hel\r\n!".to_owned(), Vec::new())));
        }
    }

    #[test]
    fn what_is_cut_or_bent_is_refused() {
        for body in [
            "",
            "5\r\nhell",
            "5\r\nhello",
            "5\r\nhello\r\n",
            "5\r\nhelloo\r\n0\r\n\r\n",
            "x\r\n",
            "0\r\nnot a header\r\n\r\n",
            "0\r\n\r\nmore",
        ] {
            assert_eq!(read(body.as_bytes(), 4), Err(Malformed), "{body:?}");
        }
        assert_eq!(read(&[b'1'; 5000], 100), Err(Malformed));
    }
}
