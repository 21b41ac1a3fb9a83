//! A client of one kept connection, small enough to trust.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than anything a test waits for.
const SILENCE_MAX: Duration = Duration::from_secs(30);

pub struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub fn connect(address: &str) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        Ok(Client { address: address.to_owned(), stream: BufReader::new(stream) })
    }

    /// One JSON call of a service with targets.
    pub fn json(&mut self, service: &str, target: &str, body: &Value) -> io::Result<Answer> {
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\n{}",
            authorization(service)
        );
        self.send("POST", "/", &headers, body.to_string().as_bytes())
    }

    pub fn dynamodb(&mut self, operation: &str, body: &Value) -> io::Result<Answer> {
        self.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), body)
    }

    pub fn streams(&mut self, operation: &str, body: &Value) -> io::Result<Answer> {
        self.json("dynamodb", &format!("DynamoDBStreams_20120810.{operation}"), body)
    }

    /// One call of Lambda's API.
    pub fn lambda(&mut self, method: &str, path: &str, body: &Value) -> io::Result<Answer> {
        let headers = format!("Content-Type: application/json\r\n{}", authorization("lambda"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &headers, body.as_bytes())
    }

    /// One call in the query protocol; the members' values are percent-encoded by the caller.
    pub fn form(&mut self, service: &str, body: &str) -> io::Result<Answer> {
        let headers =
            format!("Content-Type: application/x-www-form-urlencoded\r\n{}", authorization(service));
        self.send("POST", "/", &headers, body.as_bytes())
    }

    /// One call of S3, by path.
    pub fn storage(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
        self.signed("s3", method, path, "", body)
    }

    /// One signed call of any service; the headers end each in a line's end.
    pub fn signed(
        &mut self,
        service: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        self.send(method, path, &format!("{headers}{}", authorization(service)), body)
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// Sends bytes as they are and reads one answer.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        self.stream.get_mut().write_all(bytes)?;
        let mut head = String::new();
        loop {
            let from = head.len();
            if self.stream.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if head[from..].trim().is_empty() {
                break;
            }
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, head, body })
    }
}

/// Well-formed, of a key the server does not know: what a lenient server accepts.
fn authorization(service: &str) -> String {
    let signature = "0".repeat(64);
    format!(
        "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}\r\n"
    )
}
