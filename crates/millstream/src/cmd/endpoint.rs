//! A server somewhere, asked over plain HTTP: one kept connection, signed requests.

use super::Failure;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use wire::sigv4::{Credentials, Signer};
use world::World;

const SILENCE_MAX: Duration = Duration::from_secs(30);
/// The largest answer: a page of records, and what JSON makes of it.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A status and a body.
pub type Answer = (u16, Vec<u8>);

pub struct Endpoint {
    host: String,
    stream: BufReader<TcpStream>,
    signer: Signer,
    world: World,
}

impl Endpoint {
    /// Connects to the endpoint that was typed, or the one that AWS clients would find in their variables.
    pub fn of(typed: Option<&String>) -> Result<Endpoint, Failure> {
        let url = typed.cloned().or_else(|| std::env::var("AWS_ENDPOINT_URL").ok());
        Endpoint::connect(&url.unwrap_or_else(|| "http://127.0.0.1:4566".to_owned()))
    }

    /// How long an answer may take.
    pub fn patience(&mut self, most: Duration) -> Result<(), Failure> {
        Ok(self.stream.get_ref().set_read_timeout(Some(most))?)
    }

    /// Connects to `http://host:port`, with the credentials that AWS clients would find in their variables.
    pub fn connect(url: &str) -> Result<Endpoint, Failure> {
        let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')).ok_or_else(|| {
            Failure::Usage(format!("'{url}' is no endpoint that can be followed: http://host:port (no TLS)"))
        })?;
        let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let stream = TcpStream::connect(&with_port).map_err(|error| {
            Failure::Failed(format!("no server answers at {url}: {error}; start one with `millstream serve`"))
        })?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_nodelay(true)?;
        let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
        let credentials = Credentials {
            access_key: variable("AWS_ACCESS_KEY_ID", "any"),
            secret: variable("AWS_SECRET_ACCESS_KEY", "any"),
            session_token: std::env::var("AWS_SESSION_TOKEN").ok(),
        };
        let region = variable("AWS_REGION", &variable("AWS_DEFAULT_REGION", "us-east-1"));
        let signer = Signer { credentials, region, service: "dynamodb".to_owned() };
        Ok(Endpoint { host: with_port, stream: BufReader::new(stream), signer, world: World::real() })
    }

    /// One JSON call; an error is AWS's own words.
    pub fn call(&mut self, target: &str, body: &Value) -> Result<Value, Failure> {
        let body = body.to_string();
        let request = wire::Request::post(body.clone())
            .with_header("host", &self.host)
            .with_header("content-type", "application/x-amz-json-1.0")
            .with_header("x-amz-target", target);
        let (status, answer) = self.send("dynamodb", request, body.as_bytes())?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if status != 200 {
            let message =
                answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or("no reason given");
            return Err(Failure::Failed(format!(
                "{}: {message}",
                answer["__type"].as_str().and_then(|code| code.rsplit('#').next()).unwrap_or("refused")
            )));
        }
        Ok(answer)
    }

    /// Any other request: its status and what came back. `service` is the one that it is signed for.
    pub fn ask(&mut self, service: &str, method: &str, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let mut request = wire::Request::post(body.to_vec()).with_header("host", &self.host);
        request.method = method.parse().map_err(|_| Failure::Failed(format!("{method} is no method")))?;
        request.path = path.to_owned();
        self.send(service, request, body)
    }

    fn send(&mut self, service: &str, request: wire::Request, body: &[u8]) -> Result<Answer, Failure> {
        service.clone_into(&mut self.signer.service);
        let request = self.signer.sign(request, self.world.now());
        let mut head =
            format!("{} {} HTTP/1.1\r\ncontent-length: {}\r\n", request.method, request.path, body.len());
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
        }
        head.push_str("\r\n");
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        self.read()
    }

    /// Asks one of the server's own paths.
    pub fn own(&mut self, path: &str) -> Result<Vec<u8>, Failure> {
        match self.ask("dynamodb", "POST", path, b"")? {
            (200, body) => Ok(body),
            (_, body) => Err(Failure::Failed(String::from_utf8_lossy(&body).trim_end().to_owned())),
        }
    }

    fn read(&mut self) -> Result<Answer, Failure> {
        let broken =
            || Failure::Failed("the server's answer cannot be read: is it an HTTP server?".to_owned());
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(broken());
            }
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value
                        .trim()
                        .parse()
                        .ok()
                        .filter(|length| *length <= ANSWER_BYTES_MAX)
                        .ok_or_else(broken)?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }
}
