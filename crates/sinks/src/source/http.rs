//! One kept connection that calls an endpoint: signed, JSON both ways, bounded.

use super::stream::{Place, Stream};
use crate::stop::Stop;
use crate::{Error, Kind};
use std::io::{self, BufRead, BufReader, Read, Write};
use wire::sigv4::{Credentials, Signer};
use world::World;

/// The largest answer: a page of records, and what JSON makes of it.
const ANSWER_BYTES_MAX: usize = 64 << 20;
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Where an endpoint is and how it is asked.
#[derive(Clone, Debug)]
pub struct Login {
    pub endpoint: String,
    /// AWS has another one for streams.
    pub streams_endpoint: String,
    pub region: String,
    pub credentials: Credentials,
    /// Once it is set nobody wants answers any more.
    pub given_up: Stop,
}

impl Login {
    /// Whether both ask one server with one key, be it of different regions.
    pub fn is_of(&self, other: &Login) -> bool {
        let of = |login: &Login| {
            let Login { endpoint, streams_endpoint, credentials, .. } = login.clone();
            (endpoint, streams_endpoint, credentials)
        };
        of(self) == of(other)
    }
}

/// How a call failed.
#[derive(Clone, Debug)]
pub enum Fault {
    /// No answer: whether it was done is unknown.
    Silent(String),
    /// AWS's name for it, and its words.
    /// `reasons`: of a transaction that was cancelled, each operation's code and message.
    Refused { code: String, message: String, status: u16, reasons: Vec<(String, String)> },
}

impl Fault {
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Fault::Refused { code, .. } if code == wanted)
    }

    /// Why the transaction's operation with this number was refused.
    pub fn reason(&self, at: usize) -> Option<&str> {
        match self {
            Fault::Refused { reasons, .. } => reasons.get(at).map(|(code, _)| code.as_str()),
            Fault::Silent(_) => None,
        }
    }

    /// What it means for whoever asked: the source, or the target.
    pub fn of(self, who: Kind) -> Error {
        const AGAIN: [&str; 8] = [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
            "LimitExceededException",
            "TransactionConflictException",
            "TransactionInProgressException",
            "TransactionCanceledException",
            "ResourceInUseException",
        ];
        const REFUSED: [&str; 5] = [
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "InvalidClientTokenId",
            "ExpiredTokenException",
            "ExpiredToken",
        ];
        match self {
            Fault::Silent(message) => Error::new(Kind::Unreachable, message),
            Fault::Refused { code, message, status, .. } => {
                let again = status >= 500 || AGAIN.contains(&code.as_str());
                let kind = if again { Kind::Unreachable } else { who };
                let name = if who == Kind::Target { "target" } else { "source" };
                let refused = REFUSED.contains(&code.as_str());
                Error { refused, ..Error::new(kind, format!("{name}: {code}: {message}")) }
            }
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        fault.of(Kind::Source)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Silent(error.to_string())
    }
}

pub struct Http {
    login: Login,
    place: Place,
    world: World,
    /// As signatures name it.
    service: &'static str,
    stream: Option<BufReader<Stream>>,
    /// Memory for the next answer.
    memory: Vec<u8>,
}

impl Http {
    pub fn new(endpoint: &str, login: &Login, world: &World) -> Result<Http, Error> {
        let place = Place::parse(endpoint)?;
        Ok(Http {
            login: login.clone(),
            place,
            world: world.clone(),
            service: "dynamodb",
            stream: None,
            memory: Vec::new(),
        })
    }

    /// The same, of another service.
    pub fn of(self, service: &'static str) -> Http {
        Http { service, ..self }
    }

    /// Memory for the next answer.
    pub fn lend(&mut self, memory: Vec<u8>) {
        self.memory = memory;
    }

    /// Where it asks, as people read it.
    pub fn place(&self) -> String {
        format!("at {} in {}", self.place.host, self.login.region)
    }

    /// One call; `target` is the operation's long name.
    pub fn call(&mut self, target: &str, body: &[u8]) -> Result<Vec<u8>, Fault> {
        // A kept connection may have been closed in the meantime: that is not the call's fault.
        let kept = self.stream.is_some();
        let mut done = self.exchange(target, body);
        if kept && matches!(done, Err(Fault::Silent(_))) {
            done = self.exchange(target, body);
        }
        done
    }

    /// Sends a call whose answer is waited for later.
    pub fn ask(mut self, target: &str, body: &[u8]) -> Result<Asked, Fault> {
        self.send(target, body)?;
        Ok(Asked(self))
    }

    fn exchange(&mut self, target: &str, body: &[u8]) -> Result<Vec<u8>, Fault> {
        let done = self.send(target, body).and_then(|()| self.receive());
        done.map_err(|fault| match fault {
            Fault::Silent(message) if !message.contains(&self.place.host) => {
                Fault::Silent(format!("{}: {message}", self.place.host))
            }
            other => other,
        })
    }

    fn send(&mut self, target: &str, body: &[u8]) -> Result<(), Fault> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        let content_type = match self.service {
            "dynamodb" => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        };
        let request = wire::Request::post(body.to_vec())
            .with_header("host", &self.place.host)
            .with_header("content-type", content_type)
            .with_header("x-amz-target", target);
        let signer = Signer {
            credentials: self.login.credentials.clone(),
            region: self.login.region.clone(),
            service: self.service.to_owned(),
        };
        let request = signer.sign(request, self.world.now());
        let mut head = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
        }
        head.push_str("\r\n");
        stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        stream.get_mut().flush()?;
        self.stream = Some(stream);
        Ok(())
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        let Some(mut stream) = self.stream.take() else {
            return Err(Fault::Silent("nothing was asked".to_owned()));
        };
        let answer = read(&mut stream, std::mem::take(&mut self.memory))?;
        if answer.keep {
            self.stream = Some(stream);
        }
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let tree: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = tree["__type"].as_str().unwrap_or("Unknown");
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let message = tree["message"].as_str().or(tree["Message"].as_str());
        let message = match message {
            Some(message) => message.to_owned(),
            None => format!("status {} from {}", answer.status, self.place.host),
        };
        let text = |tree: &serde_json::Value| tree.as_str().unwrap_or_default().to_owned();
        let reasons = tree["CancellationReasons"].as_array().into_iter().flatten();
        let reasons = reasons.map(|reason| (text(&reason["Code"]), text(&reason["Message"]))).collect();
        Err(Fault::Refused { code, message, status: answer.status, reasons })
    }

    fn connect(&self) -> Result<BufReader<Stream>, Fault> {
        let stream = self
            .place
            .connect(&self.login.given_up)
            .map_err(|error| Fault::Silent(format!("no server answers at {}: {error}", self.place.host)))?;
        Ok(BufReader::with_capacity(64 << 10, stream))
    }
}

/// A call that was sent.
pub struct Asked(Http);

impl Asked {
    /// Memory for the answer.
    pub fn lend(&mut self, memory: Vec<u8>) {
        self.0.lend(memory);
    }

    /// Waits for the answer; the connection is free again.
    pub fn answer(mut self) -> (Result<Vec<u8>, Fault>, Http) {
        (self.0.receive(), self.0)
    }
}

struct Answer {
    status: u16,
    body: Vec<u8>,
    /// The connection may be used again.
    keep: bool,
}

fn read(stream: &mut impl BufRead, memory: Vec<u8>) -> Result<Answer, Fault> {
    let strange = || Fault::Silent("the answer cannot be read: is it an HTTP server?".to_owned());
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(strange)?;
    let (mut length, mut chunked, mut keep) = (None, false, first.starts_with("HTTP/1.1"));
    loop {
        let header = line(stream)?;
        let Some((name, value)) = header.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = Some(value.parse::<usize>().map_err(|_| strange())?),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" if value.eq_ignore_ascii_case("close") => keep = false,
            _ => {}
        }
    }
    let mut body = memory;
    if chunked {
        body.clear();
        loop {
            let size = line(stream)?;
            let size = size.split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| strange())?;
            take(stream, size, &mut body)?;
            if line(stream)?.is_empty() && size == 0 {
                break;
            }
        }
    } else if let Some(length) = length {
        // What is there already need not be made again.
        body.truncate(length);
        fill(stream, 0, length, &mut body)?;
    } else {
        keep = false;
        body.clear();
        stream.take(ANSWER_BYTES_MAX as u64).read_to_end(&mut body)?;
    }
    Ok(Answer { status, body, keep })
}

fn line(stream: &mut impl BufRead) -> Result<String, Fault> {
    let mut line = String::new();
    if stream.take(LINE_BYTES_MAX).read_line(&mut line)? == 0 {
        return Err(Fault::Silent("the connection was closed".to_owned()));
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn take(stream: &mut impl BufRead, size: usize, body: &mut Vec<u8>) -> Result<(), Fault> {
    fill(stream, body.len(), size, body)
}

/// Bytes from this place of the body on.
fn fill(stream: &mut impl BufRead, at: usize, size: usize, body: &mut Vec<u8>) -> Result<(), Fault> {
    if at.saturating_add(size) > ANSWER_BYTES_MAX {
        return Err(Fault::Silent(format!("an answer is larger than {ANSWER_BYTES_MAX} bytes")));
    }
    body.resize(at + size, 0);
    stream.read_exact(&mut body[at..]).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Silent("the answer is shorter than it says".to_owned()),
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &str, expected: Result<(u16, &str, bool), &str>) {
        let got = read(&mut answer.as_bytes(), b"before".to_vec());
        let got = got.map(|answer| (answer.status, String::from_utf8(answer.body).unwrap(), answer.keep));
        match (got, expected) {
            (Ok((status, body, keep)), Ok(expected)) => assert_eq!((status, &*body, keep), expected),
            (Err(Fault::Silent(told)), Err(expected)) => assert!(told.contains(expected), "{told}"),
            (got, expected) => panic!("{got:?} is not {expected:?}"),
        }
    }

    #[test]
    fn answers_end_where_they_say() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}more", Ok((200, "{}", true)));
        check("HTTP/1.1 400 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", Ok((400, "", false)));
        let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n";
        check(chunks, Ok((200, "abc", true)));
        check("HTTP/1.0 200 OK\r\n\r\nall of it", Ok((200, "all of it", false)));
        check("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", Err("shorter than it says"));
        check("SSH-2.0\r\n", Err("is it an HTTP server"));
        check("HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n", Err("larger than"));
        check("", Err("closed"));
    }
}
