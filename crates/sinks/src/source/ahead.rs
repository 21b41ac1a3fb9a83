//! Records, page by page. While one page is read the source works on the next: it is asked for before anybody wants it.

use super::answer::RecordsPage;
use super::http::{Asked, Fault, Http, Login};
use super::in_process::InProcess;
use super::rows::RecordRows;
use crate::Error;
use crate::join::Sequence;
use crate::mapping::Direct;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use world::World;

const OPERATION: &str = "DynamoDBStreams_20120810.GetRecords";
const RECORDS_MAX: usize = 1000;
/// A page of fewer bytes is near the tip, where nothing is worth asking for ahead.
const FULL_BYTES: usize = 64 << 10;
/// Pages that nobody came for (a shard that is read elsewhere now) are let go.
const ASKED_MAX: usize = 8;
/// Where in an answer the next iterator is looked for, from either end.
const EDGE_BYTES: usize = 4 << 10;

/// Shared by all who read.
pub struct Ahead {
    login: Login,
    world: World,
    olds: bool,
    /// The same tables, where they are in this process.
    tables: Option<Arc<dyn InProcess>>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    asked: VecDeque<Coming>,
    idle: Vec<Http>,
}

/// A page as it was read.
pub enum Page {
    Items(RecordsPage),
    Rows(RecordRows),
}

/// A page that is on its way.
struct Coming {
    iterator: String,
    asked: Asked,
    at_ms: u64,
}

impl Ahead {
    /// `olds`: what items were before is wanted.
    pub fn new(login: &Login, world: &World, olds: bool) -> Ahead {
        Ahead { login: login.clone(), world: world.clone(), olds, tables: None, held: Mutex::default() }
    }

    /// Reads there, if the source's tables are in this process.
    pub fn with_tables(self, tables: Option<Arc<dyn InProcess>>) -> Ahead {
        Ahead { tables, ..self }
    }

    /// The page, and when it was asked for.
    pub fn records(&self, iterator: &str, direct: Option<&Direct>) -> Result<(Page, u64), Fault> {
        let at_ms = self.world.now().millis();
        if let Some(page) = self.own(iterator, direct) {
            return Ok((page, at_ms));
        }
        let memory = direct.map(Direct::answer).unwrap_or_default();
        let (mut body, at_ms) = self.body(iterator, memory)?;
        if let Some(direct) = direct {
            match RecordRows::read(body, direct) {
                Ok(rows) => return Ok((Page::Rows(rows), at_ms)),
                Err(unread) => body = unread,
            }
        }
        let page = if self.olds { RecordsPage::read(&body) } else { RecordsPage::read_new(&body) };
        Ok((Page::Items(page.ok_or_else(|| super::table::unreadable("GetRecords"))?), at_ms))
    }

    /// Of tables in this process.
    fn own(&self, iterator: &str, direct: Option<&Direct>) -> Option<Page> {
        let tables = self.tables.as_deref()?;
        direct
            .and_then(|direct| RecordRows::own(tables, iterator, RECORDS_MAX, direct))
            .map(Page::Rows)
            .or_else(|| RecordsPage::own(tables, iterator, RECORDS_MAX).map(Page::Items))
    }

    /// The last record's number, where there are records, and the next iterator.
    fn own_last(&self, iterator: &str) -> Option<(Option<Sequence>, Option<String>)> {
        let mut last = None;
        let next = self
            .tables
            .as_deref()?
            .records(iterator, RECORDS_MAX, &mut |change| last = Some(change.sequence))?;
        Some((last, next))
    }

    /// The last record of a shard that is reached while this is wanted, and no more of any than its number.
    pub fn skim(
        &self,
        mut iterator: String,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Sequence>, Fault> {
        let mut reached = None;
        while is_wanted() {
            let (last, next) = match self.own_last(&iterator) {
                Some(told) => told,
                None => {
                    let (body, _) = self.body(&iterator, Vec::new())?;
                    skim(&body).ok_or_else(|| super::table::unreadable("GetRecords"))?
                }
            };
            if last.is_none() {
                break;
            }
            reached = last;
            match next {
                Some(next) => iterator = next,
                None => break,
            }
        }
        Ok(reached)
    }

    /// `memory`: for the answer.
    fn body(&self, iterator: &str, memory: Vec<u8>) -> Result<(Vec<u8>, u64), Fault> {
        let mut memory = Some(memory);
        if let Some(mut page) = self.take(iterator) {
            page.asked.lend(memory.take().unwrap_or_default());
            match page.asked.answer() {
                (Ok(body), http) => return Ok((self.asked_on(http, body), page.at_ms)),
                // The connection was closed under it: asked once more.
                (Err(Fault::Silent(_)), _) => {}
                (Err(refused), http) => {
                    self.held().idle.push(http);
                    return Err(refused);
                }
            }
        }
        let idle = self.held().idle.pop();
        let mut http = match idle {
            Some(http) => http,
            None => Http::new(&self.login.streams_endpoint, &self.login, &self.world).map_err(told)?,
        };
        http.lend(memory.unwrap_or_default());
        let at_ms = self.world.now().millis();
        match http.call(OPERATION, request(iterator).as_bytes()) {
            Ok(body) => Ok((self.asked_on(http, body), at_ms)),
            Err(fault) => {
                self.held().idle.push(http);
                Err(fault)
            }
        }
    }

    /// Asks for the page after this one, where there seems to be one.
    fn asked_on(&self, http: Http, body: Vec<u8>) -> Vec<u8> {
        let next = next(&body).filter(|_| body.len() >= FULL_BYTES).map(str::to_owned);
        let at_ms = self.world.now().millis();
        let asked = match next {
            None => Err(http),
            Some(next) => match http.ask(OPERATION, request(&next).as_bytes()) {
                Ok(asked) => Ok(Coming { iterator: next, asked, at_ms }),
                // Whoever wants the page sees why.
                Err(_) => return body,
            },
        };
        let mut held = self.held();
        match asked {
            Ok(page) => held.asked.push_back(page),
            Err(http) => held.idle.push(http),
        }
        if held.asked.len() > ASKED_MAX {
            held.asked.pop_front();
        }
        body
    }

    fn take(&self, iterator: &str) -> Option<Coming> {
        let mut held = self.held();
        let at = held.asked.iter().position(|page| page.iterator == iterator)?;
        held.asked.remove(at)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn request(iterator: &str) -> String {
    json!({ "ShardIterator": iterator, "Limit": RECORDS_MAX }).to_string()
}

fn told(error: Error) -> Fault {
    Fault::Silent(error.message)
}

/// The next iterator, without reading the page. What is found wrongly is asked for in vain, and nobody comes for it.
fn next(body: &[u8]) -> Option<&str> {
    last(body, b"\"NextShardIterator\":\"")
}

/// The text of the last member that is called so, where it is near an end of the answer: an attribute's value is an
/// object, and a quote in a text is escaped, so that nothing in an item looks like one.
fn last<'b>(body: &'b [u8], member: &[u8]) -> Option<&'b str> {
    let find = |part: &[u8]| part.windows(member.len()).rposition(|bytes| bytes == member);
    let end = body.len().saturating_sub(EDGE_BYTES);
    let at = match find(&body[end..]) {
        Some(at) => end + at,
        None => find(&body[..body.len().min(EDGE_BYTES)])?,
    };
    let value = &body[at + member.len()..];
    let length = value.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&value[..length]).ok().filter(|text| !text.contains('\\'))
}

/// The last record's number and the next iterator.
fn skim(body: &[u8]) -> Option<(Option<Sequence>, Option<String>)> {
    // The last number of the whole page is the last one's only where it is found at the page's end.
    let tail = &body[body.len().saturating_sub(EDGE_BYTES)..];
    match (last(tail, b"\"SequenceNumber\":\"").and_then(Sequence::parse), next(body)) {
        (Some(reached), Some(next)) => Some((Some(reached), Some(next.to_owned()))),
        _ => RecordsPage::skim(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_skimmed_as_it_is_read() {
        let record = |number: usize, text: &str| {
            format!(
                r#"{{"dynamodb":{{"Keys":{{}},"NewImage":{{"SequenceNumber":{{"S":"{text}"}}}},"SequenceNumber":"{number}"}}}}"#
            )
        };
        let long = "x".repeat(2 * EDGE_BYTES);
        let page = |records: &[String], next: &str| format!(r#"{{"Records":[{}]{next}}}"#, records.join(","));
        let next = r#","NextShardIterator":"i""#;
        for (body, last) in [
            (page(&[], next), None),
            (page(&[record(1, "a"), record(2, r#"\"SequenceNumber\":\"9\""#)], next), Some("2")),
            (page(&[record(1, &long)], next), Some("1")),
            (page(&[record(7, "a")], ""), Some("7")),
            (page(&[record(7, "a")], next).replace(":", ": "), Some("7")),
        ] {
            let (reached, _) = skim(body.as_bytes()).expect(&body);
            assert_eq!(reached.map(|reached| reached.to_string()).as_deref(), last, "{body}");
            assert_eq!(skim(body.as_bytes()), RecordsPage::skim(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn the_next_page_is_known_before_this_one_is_read() {
        assert_eq!(next(br#"{"Records":[],"NextShardIterator":"a|b"}"#), Some("a|b"));
        let first = format!(r#"{{"NextShardIterator":"c","Records":["{}"]}}"#, "x".repeat(9000));
        assert_eq!(next(first.as_bytes()), Some("c"));
        for none in [
            r#"{"Records":[]}"#,
            r#"{"Records":[{"S":"\"NextShardIterator\":\"no\""}]}"#,
            r#"{"Records":[{"M":{"NextShardIterator":{"S":"no"}}}]}"#,
            r#"{"NextShardIterator":"open"#,
            "",
        ] {
            assert_eq!(next(none.as_bytes()), None, "{none}");
        }
    }
}
