//! Answers of custom resources: each waits at an address of its own, to which the resource's function puts it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use wire::{Request, Response};
use world::World;

/// Before the token in an answer's address.
const PATH: &str = "/_millstream/cloudformation/";
/// The largest answer that a custom resource may give.
const ANSWER_BYTES_MAX: usize = 4096 * 4;

pub(crate) struct Answers {
    /// `http://host:port` of this server.
    own: String,
    waiting: Mutex<BTreeMap<String, oneshot::Sender<Value>>>,
}

/// An answer that is waited for; its address is gone with it.
pub(crate) struct Expected {
    token: String,
    pub url: String,
    pub answer: oneshot::Receiver<Value>,
    answers: Arc<Answers>,
}

impl Answers {
    pub fn under(own: &str) -> Arc<Answers> {
        Arc::new(Answers { own: own.to_owned(), waiting: Mutex::default() })
    }

    /// A new address under the server's own.
    pub fn expect(self: &Arc<Answers>, world: &World) -> Expected {
        let token = world.hex(32);
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), sender);
        Expected { url: format!("{}{PATH}{token}", self.own), token, answer, answers: self.clone() }
    }

    /// Takes an answer in. None when the request is to another address.
    pub fn take(&self, request: &Request) -> Option<Response> {
        let token = request.path.strip_prefix(PATH)?;
        if request.method != http::Method::PUT {
            return Some(Response::new(405, "A custom resource's answer is put here.\n"));
        }
        if request.body.len() > ANSWER_BYTES_MAX {
            return Some(Response::new(413, "A custom resource's answer has at most 16,384 bytes.\n"));
        }
        let Ok(answer @ Value::Object(_)) = serde_json::from_slice(&request.body) else {
            return Some(Response::new(400, "A custom resource's answer is a JSON document.\n"));
        };
        let sender = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
        Some(match sender.map(|sender| sender.send(answer)) {
            Some(Ok(())) => Response::new(200, ""),
            _ => Response::new(404, "Nothing waits for this answer.\n"),
        })
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.answers.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_comes_once_and_to_its_own_address() {
        let answers = Answers::under("http://here:1");
        let mut expected = answers.expect(&World::simulated(1));
        let path = expected.url.strip_prefix("http://here:1").expect("the server's address").to_owned();
        let put = |path: &str, body: &str| {
            let request =
                Request { method: http::Method::PUT, ..Request::post(body.to_owned()) }.with_target(path);
            answers.take(&request).map(|response| response.status.as_u16())
        };
        assert_eq!(put("/other", "{}"), None);
        assert_eq!(put("/_millstream/cloudformation/guess", "{}"), Some(404));
        assert_eq!(put(&path, "no"), Some(400));
        assert_eq!(put(&path, "{\"Status\":\"SUCCESS\"}"), Some(200));
        assert_eq!(expected.answer.try_recv().ok(), Some(json!({ "Status": "SUCCESS" })));
        assert_eq!(put(&path, "{}"), Some(404));
        let path = answers.expect(&World::simulated(2)).url[13..].to_owned();
        assert_eq!(put(&path, "{}"), Some(404), "whoever waited has gone");
    }
}
