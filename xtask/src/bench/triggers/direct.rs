//! The limit: a handler that is fed by its runtime client alone, from a Runtime API that does nothing else.

use super::super::Result;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A handler as the server would run it.
pub(super) struct Direct<'a> {
    /// The interpreter that the server chose.
    pub python: &'a str,
    /// The server's data directory: its runtime clients lie there.
    pub data: &'a Path,
    /// Where `app.py` lies.
    pub code: &'a Path,
    pub out: &'a Path,
}

impl Direct<'_> {
    /// Hands the same event over so many times; what each turn took, from the hand-over to the answer.
    pub fn feed(&self, event: &[u8], times: usize) -> Result<Vec<Duration>> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let mut process = Command::new(self.python)
            .arg(self.data.join("functions/clients/python.py"))
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
            .env("LAMBDA_TASK_ROOT", self.code)
            .env("_HANDLER", "app.handler")
            .env("OUT", self.out)
            .stdout(Stdio::null())
            .spawn()?;
        let fed = serve(&listener, event, times);
        let _ = process.kill();
        let _ = process.wait();
        fed
    }
}

fn serve(listener: &TcpListener, event: &[u8], times: usize) -> Result<Vec<Duration>> {
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    let id = "00000000-0000-4000-8000-000000000000";
    let mut next = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nLambda-Runtime-Aws-Request-Id: {id}\r\n\
         Lambda-Runtime-Deadline-Ms: 99999999999999\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\n\r\n",
        event.len()
    )
    .into_bytes();
    next.extend_from_slice(event);
    let accepted = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}";
    let mut turns = Vec::with_capacity(times);
    let mut begun = Instant::now();
    while turns.len() < times {
        let path = request(&mut stream)?;
        if path.ends_with("/next") {
            begun = Instant::now();
            stream.get_mut().write_all(&next)?;
        } else if path.ends_with("/response") {
            turns.push(begun.elapsed());
            stream.get_mut().write_all(accepted)?;
        } else {
            return Err(format!("the handler failed: {path}").into());
        }
    }
    Ok(turns)
}

/// Reads one request to its end; its path.
fn request(stream: &mut BufReader<std::net::TcpStream>) -> Result<String> {
    let (mut path, mut length) = (String::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err("the handler's process ended".into());
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        match text.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse()?,
            Some(_) => {}
            None => path = text.split(' ').nth(1).unwrap_or_default().to_owned(),
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(path)
}
