//! A load of raw requests over kept connections.

use super::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::Client;

pub struct Load<'a> {
    pub address: &'a str,
    pub connections: usize,
    pub lasting: Duration,
}

#[derive(Clone, Copy)]
pub struct Rate {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        write!(f, "{:>10.0} /s  p50 {:.2} ms  p99 {:.2} ms", self.per_second, ms(self.p50), ms(self.p99))
    }
}

impl Rate {
    pub fn of(mut took: Vec<Duration>, lasting: Duration) -> Rate {
        took.sort();
        let per_second = took.len() as f64 / lasting.as_secs_f64();
        Rate { per_second, p50: took[took.len() / 2], p99: took[took.len() * 99 / 100] }
    }

    pub fn median(mut rates: Vec<Rate>) -> Rate {
        rates.sort_by(|left, right| left.per_second.total_cmp(&right.per_second));
        rates[rates.len() / 2]
    }
}

impl Load<'_> {
    /// Sends the requests that `make` gives for each connection and number, one after another on each connection.
    pub fn run(&self, make: impl Fn(usize, usize) -> Vec<u8> + Sync) -> Result<Rate> {
        let begun = Instant::now();
        let worker = |connection: usize| -> std::io::Result<Vec<Duration>> {
            let mut client = Client::connect(self.address)?;
            let mut took = Vec::new();
            while begun.elapsed() < self.lasting {
                let request = make(connection, took.len());
                let sent = Instant::now();
                let answer = client.raw(&request)?;
                took.push(sent.elapsed());
                if answer.status != 200 {
                    return Err(std::io::Error::other(answer.text()));
                }
            }
            Ok(took)
        };
        let mut took = Vec::new();
        std::thread::scope(|scope| -> Result<()> {
            let worker = &worker;
            let all: Vec<_> =
                (0..self.connections).map(|connection| scope.spawn(move || worker(connection))).collect();
            for one in all {
                took.extend(one.join().map_err(|_| "a connection's thread panicked")??);
            }
            Ok(())
        })?;
        Ok(Rate::of(took, begun.elapsed()))
    }
}

/// An item of about a kilobyte.
pub fn put(table: &str, id: &str) -> Value {
    json!({ "TableName": table, "Item": {
        "id": { "S": id },
        "name": { "S": "somebody" },
        "count": { "N": "12345" },
        "text": { "S": "x".repeat(900) },
    }})
}

/// A PutItem that differs from the next one in its id alone: made once, so that another costs the generator a copy.
pub struct Puts {
    request: Vec<u8>,
    id: std::ops::Range<usize>,
}

impl Puts {
    pub fn new(table: &str) -> Puts {
        // Of the width that ids have, and like nothing else in a request.
        let mark = "#".repeat(20);
        let request = request("PutItem", &put(table, &mark));
        let at = request.windows(mark.len()).position(|part| part == mark.as_bytes()).unwrap_or_default();
        Puts { request, id: at..at + mark.len() }
    }

    /// The put of one number, connection and round.
    pub fn of(&self, round: usize, connection: usize, number: usize) -> Vec<u8> {
        let mut request = self.request.clone();
        let id = format!("{round:05}-{connection:03}-{number:010}");
        request[self.id.clone()].copy_from_slice(id.as_bytes());
        request
    }
}

pub fn request(operation: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let signature = "0".repeat(64);
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n\
         X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
