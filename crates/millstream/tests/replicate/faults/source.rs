//! An endpoint that answers as the one behind it, but not always: answers that are cut or do not come, pages that say
//! records again, earlier answers once more, iterators that have expired, throttling.

use super::{Listener, cut};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use world::Random;

/// Answers that are kept to be given again.
const EARLIER_MAX: usize = 64;
/// How long an endless answer is.
const LETTERS: usize = 2000;
const LETTER_EVERY: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Weather {
    Stormy,
    Calm,
    /// The stream is not read: everything else is.
    Streamless,
    /// Answers of the stream begin, and go on letter by letter.
    Endless,
}

pub struct Faulty {
    listener: Listener,
    weather: Arc<AtomicU8>,
    told: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

struct State {
    random: Random,
    /// By the iterator that follows it: the answer that gave it.
    earlier: BTreeMap<String, Vec<u8>>,
}

impl Faulty {
    pub fn before(address: String, seed: u64) -> Faulty {
        let state = State { random: Random::from_seed(seed), earlier: BTreeMap::new() };
        let (state, weather) = (Mutex::new(state), Arc::new(AtomicU8::new(Weather::Stormy as u8)));
        let told = Arc::new(Mutex::new(BTreeMap::new()));
        let (sky, tally) = (weather.clone(), told.clone());
        let listener = Listener::start(move |client| {
            let Ok(server) = TcpStream::connect(&address) else { return };
            let _ = converse(&client, &server, &state, &sky, &tally);
            cut([&client, &server]);
        });
        Faulty { listener, weather, told }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address)
    }

    pub fn set(&self, weather: Weather) {
        self.weather.store(weather as u8, Ordering::Relaxed);
    }

    /// What went wrong, and how often.
    pub fn told(&self) -> BTreeMap<&'static str, u64> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Calls of one connection, until a side ends it.
fn converse(
    client: &TcpStream,
    server: &TcpStream,
    state: &Mutex<State>,
    weather: &AtomicU8,
    tally: &Mutex<BTreeMap<&'static str, u64>>,
) -> io::Result<()> {
    let (mut asks, mut answers) = (BufReader::new(client), BufReader::new(server));
    let mut client = client;
    loop {
        let (head, body) = message(&mut asks)?;
        let is_records = head.contains("DynamoDBStreams_20120810.GetRecords");
        let weather = weather.load(Ordering::Relaxed);
        if weather == Weather::Streamless as u8 && is_records {
            client.write_all(&refusal("ThrottlingException"))?;
            continue;
        }
        if weather == Weather::Endless as u8 && is_records {
            return dribble(client, tally);
        }
        let mut server = server;
        server.write_all(head.as_bytes())?;
        server.write_all(&body)?;
        let (answer_head, answer) = message(&mut answers)?;
        let mut out = [answer_head.into_bytes(), answer.clone()].concat();
        if weather == Weather::Stormy as u8 {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let fault = state.fault(is_records, &body, &answer, &mut out);
            if let Some(name) = fault {
                *tally.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
            }
            if matches!(fault, Some("cut" | "silence")) {
                drop(state);
                return client.write_all(&out);
            }
        }
        client.write_all(&out)?;
    }
}

/// Says that it has begun, and, unless whoever asked goes away first, that it has ended.
fn dribble(mut client: &TcpStream, tally: &Mutex<BTreeMap<&'static str, u64>>) -> io::Result<()> {
    let note = |name| *tally.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
    note("begun");
    client.write_all(b"HTTP/1.1 200 OK\r\nx-more: ")?;
    for _ in 0..LETTERS {
        client.write_all(b"m")?;
        std::thread::sleep(LETTER_EVERY);
    }
    note("ended");
    Ok(())
}

impl State {
    /// What becomes of an answer.
    fn fault(
        &mut self,
        is_records: bool,
        asked: &[u8],
        answer: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<&'static str> {
        let draw = self.random.below(100);
        if draw < 4 {
            out.truncate(self.random.below(out.len() as u64) as usize);
            return Some("cut");
        }
        if draw < 6 {
            out.clear();
            return Some("silence");
        }
        if draw < 8 {
            *out = refusal("ProvisionedThroughputExceededException");
            return Some("throttled");
        }
        if !is_records {
            return None;
        }
        if draw < 11 {
            *out = refusal("ExpiredIteratorException");
            return Some("expired");
        }
        let page: Value = serde_json::from_slice(answer).ok()?;
        let records = page["Records"].as_array()?;
        let asked: Value = serde_json::from_slice(asked).ok()?;
        if draw < 30
            && let Some(earlier) = asked["ShardIterator"].as_str().and_then(|at| self.earlier.get(at))
        {
            *out = good(earlier);
            return Some("earlier answer");
        }
        if records.is_empty() {
            return None;
        }
        if let Some(next) = page["NextShardIterator"].as_str() {
            if self.earlier.len() >= EARLIER_MAX {
                self.earlier.clear();
            }
            self.earlier.insert(next.to_owned(), answer.to_vec());
        }
        if draw < 55 {
            let from = self.random.below(records.len() as u64) as usize;
            let mut again = records.clone();
            again.extend_from_slice(&records[..=from]);
            let mut page = page.clone();
            page["Records"] = Value::Array(again);
            *out = good(page.to_string().as_bytes());
            return Some("records again");
        }
        None
    }
}

fn good(body: &[u8]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: ";
    [format!("{head}{}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn refusal(code: &str) -> Vec<u8> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"as it happens"}}"#);
    let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: ";
    format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A head and the body whose length it tells.
fn message(stream: &mut impl BufRead) -> io::Result<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let begun = head.len();
        if stream.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = head[begun..].trim_end();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}
