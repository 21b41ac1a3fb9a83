//! Issuers of tokens, and the keys that they publish.

use super::jwt::{Key, decoded};
use crate::outside::{Errand, Outside, Place};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use world::World;

/// How long keys are taken for the issuer's own without asking again.
const KEPT: Duration = Duration::from_secs(2 * 3_600);
/// How soon a key that is not known is asked for again.
const AGAIN: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 1 << 20;

pub(crate) struct Issuer {
    /// Its URL: `https://…`, or `http://…`.
    pub name: String,
    outside: Outside,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    at: Duration,
    keys: Arc<Vec<Key>>,
}

impl Issuer {
    pub fn new(name: &str) -> Issuer {
        Issuer { name: name.to_owned(), outside: Outside::new(), known: Mutex::default() }
    }

    /// Whether keys could be fetched from there.
    pub fn is_reachable(name: &str) -> bool {
        Place::of(name).is_some()
    }

    /// Its keys, among them the one of this name if it has one.
    pub(super) async fn keys(&self, world: &World, wanted: Option<&str>) -> Result<Arc<Vec<Key>>, String> {
        let now = world.elapsed();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            let age = now.saturating_sub(known.at);
            let has =
                wanted.is_none_or(|wanted| known.keys.iter().any(|key| key.id.as_deref() == Some(wanted)));
            if age < AGAIN || has && age < KEPT {
                return Ok(known.keys);
            }
        }
        let keys =
            tokio::time::timeout(ANSWER_MAX, self.fetch()).await.map_err(|error| error.to_string())??;
        let keys = Arc::new(keys);
        let known = Some(Known { at: now, keys: keys.clone() });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(keys)
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let place = format!("{}/.well-known/openid-configuration", self.name.trim_end_matches('/'));
        let document = self.get(&place).await?;
        let place = document["jwks_uri"].as_str().ok_or("the issuer's document names no jwks_uri")?;
        keys_in(&self.get(place).await?).ok_or_else(|| "the issuer publishes no keys".to_owned())
    }
}

/// The keys of a set that are of use here.
pub(super) fn keys_in(set: &Value) -> Option<Vec<Key>> {
    Some(set.get("keys")?.as_array()?.iter().filter_map(key).collect())
}

fn key(told: &Value) -> Option<Key> {
    let part = |name: &str| decoded(told.get(name)?.as_str()?);
    let is_rsa = told.get("kty")?.as_str()? == "RSA";
    let id = told.get("kid").and_then(Value::as_str).map(str::to_owned);
    is_rsa.then_some(Key { id, modulus: part("n")?, exponent: part("e")? })
}

impl Issuer {
    /// One document, over a connection of its own.
    async fn get(&self, url: &str) -> Result<Value, String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("millstream"));
        let errand = Errand {
            method: Method::GET,
            url,
            headers,
            body: Bytes::new(),
            timeout: ANSWER_MAX,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.outside.ask(errand).await.map_err(|error| error.to_string())?;
        let document = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200);
        document.ok_or_else(|| format!("{url} is no JSON document"))
    }
}

#[cfg(test)]
mod tests {
    use super::Issuer;
    use serde_json::{Value, json};
    use std::time::Duration;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::net::TcpListener;
    use world::World;

    /// An issuer that answers with one document after the other, and tells what it was asked for.
    async fn serve(documents: Vec<String>, listener: TcpListener) -> Vec<String> {
        let mut asked = Vec::new();
        for document in documents {
            let (stream, _) = listener.accept().await.expect("a caller");
            asked.push(answer(stream, &document).await);
        }
        asked
    }

    /// Reads a request and answers it; tells its first line.
    async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, document: &str) -> String {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.expect("a request"));
        }
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{document}");
        stream.write_all(answer.as_bytes()).await.expect("an answer");
        stream.shutdown().await.expect("an end");
        String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn keys_are_fetched_once_and_again_for_a_new_one() {
        let all: Value = serde_json::from_str(include_str!("fixtures/tokens.json")).expect("a fixture");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let name = format!("http://{}/", listener.local_addr().expect("an address"));
        let document = json!({ "issuer": name, "jwks_uri": format!("{name}keys") }).to_string();
        let keys = all["jwks"].to_string();
        let documents = vec![document.clone(), keys.clone(), document, keys];
        let serving = tokio::spawn(serve(documents, listener));
        let (issuer, world) = (Issuer::new(&name), World::simulated(1));
        for (wanted, seconds) in [(Some("k1"), 60), (None, 0), (Some("k9"), 0), (Some("k9"), 0)] {
            assert_eq!(issuer.keys(&world, wanted).await.expect("keys").len(), 1);
            world.advance(Duration::from_secs(seconds));
        }
        let once = ["GET /.well-known/openid-configuration HTTP/1.1", "GET /keys HTTP/1.1"];
        assert_eq!(serving.await.expect("an issuer"), once.repeat(2));
        world.advance(Duration::from_secs(60));
        assert!(issuer.keys(&world, Some("k9")).await.is_err(), "nobody answers there any more");
    }
}
