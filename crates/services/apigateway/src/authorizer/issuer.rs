//! Issuers of tokens, and the keys that they publish.

use super::jwt::{Key, decoded};
use super::trust;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use world::World;

/// How long keys are taken for the issuer's own without asking again.
const KEPT: Duration = Duration::from_secs(2 * 3_600);
/// How soon a key that is not known is asked for again.
const AGAIN: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: u64 = 1 << 20;

pub(crate) struct Issuer {
    /// Its URL: `https://…`, or `http://…`.
    pub name: String,
    /// Whom it is believed by over TLS.
    authorities: Option<PathBuf>,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    at: Duration,
    keys: Arc<Vec<Key>>,
}

impl Issuer {
    pub fn new(name: &str) -> Issuer {
        Issuer { name: name.to_owned(), authorities: trust::authorities(), known: Mutex::default() }
    }

    /// Whether keys could be fetched from there.
    pub fn is_reachable(name: &str) -> bool {
        address(name).is_some()
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

/// Where a document is.
#[derive(Debug, PartialEq)]
struct Address<'a> {
    secure: bool,
    /// With the port, if the URL has one.
    authority: &'a str,
    name: &'a str,
    port: u16,
    path: &'a str,
}

fn address(url: &str) -> Option<Address<'_>> {
    let (secure, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://")?),
    };
    let at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let has_port = authority.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    let (name, port) = has_port.unwrap_or((authority, if secure { 443 } else { 80 }));
    let well = !name.is_empty() && authority.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    well.then_some(Address { secure, authority, name, port, path: if path.is_empty() { "/" } else { path } })
}

impl Issuer {
    /// One document, over a connection of its own.
    async fn get(&self, url: &str) -> Result<Value, String> {
        let place = address(url).ok_or_else(|| format!("{url} is no URL of an issuer"))?;
        let stream = TcpStream::connect((place.name, place.port)).await;
        let stream = stream.map_err(|error| format!("{url}: {error}"))?;
        let answer = if place.secure {
            let stream = trust::secured(stream, place.name, self.authorities.as_deref()).await;
            exchange(stream.map_err(|error| format!("{url}: {error}"))?, &place).await
        } else {
            exchange(stream, &place).await
        };
        let answer = answer.map_err(|error| format!("{url}: {error}"))?;
        let document = document(&answer).and_then(|body| serde_json::from_slice(&body).ok());
        document.ok_or_else(|| format!("{url} is no JSON document"))
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    place: &Address<'_>,
) -> std::io::Result<Vec<u8>> {
    let (path, host) = (place.path, place.authority);
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\nuser-agent: millstream\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    match stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await {
        // Some end without saying so; what is missing then shows.
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(answer),
    }
}

/// The body of an answer that is a success.
fn document(answer: &[u8]) -> Option<Vec<u8>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, mut rest) = (std::str::from_utf8(&answer[..end]).ok()?, &answer[end + 4..]);
    let mut lines = head.split("\r\n");
    if lines.next()?.split(' ').nth(1) != Some("200") {
        return None;
    }
    let is_chunked = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    };
    if !lines.any(is_chunked) {
        return Some(rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        rest = &rest[end + 2..];
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Issuer, address, document};
    use rustls::ServerConfig;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use serde_json::{Value, json};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
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

    /// An issuer that its own authority vouches for, as `localhost`.
    #[tokio::test]
    async fn keys_are_fetched_over_tls_from_whom_an_authority_knows() {
        let all: Value = serde_json::from_str(include_str!("fixtures/tokens.json")).expect("a fixture");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/authorizer/fixtures/tls");
        let own = |file: &str| format!("{folder}/{file}");
        let chain = vec![CertificateDer::from_pem_file(own("issuer.pem")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(own("issuer-key.pem")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("versions").with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a server")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let name = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
        let first = json!({ "issuer": name, "jwks_uri": format!("{name}/keys") }).to_string();
        let documents = [first, all["jwks"].to_string()];
        tokio::spawn(async move {
            let mut at = 0;
            loop {
                let (stream, _) = listener.accept().await.expect("a caller");
                // A stranger's authority ends the handshake.
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                answer(stream, &documents[at]).await;
                at += 1;
            }
        });
        let world = World::simulated(1);
        let mut issuer = Issuer::new(&name);
        for (authority, refusal) in [(None, "AWS_CA_BUNDLE"), (Some("issuer.pem"), "certificate")] {
            issuer.authorities = authority.map(|file| own(file).into());
            let error = issuer.keys(&world, None).await.expect_err("nobody vouches");
            assert!(error.contains(refusal), "{error}");
        }
        issuer.authorities = Some(own("authority.pem").into());
        assert_eq!(issuer.keys(&world, None).await.expect("keys").len(), 1);
    }

    #[test]
    fn bodies_come_whole_or_in_chunks() {
        let body = |answer: &str| {
            document(answer.as_bytes()).map(|body| String::from_utf8_lossy(&body).into_owned())
        };
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\n{}"), Some("{}".to_owned()));
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n";
        assert_eq!(body(chunks), Some("{}".to_owned()));
        assert_eq!(body(&chunks[..chunks.len() - 9]), None);
        assert_eq!(body("HTTP/1.1 404 Not Found\r\n\r\n{}"), None);
    }

    #[test]
    fn urls_name_a_host_and_a_path() {
        let place =
            |secure, authority, name, port, path| Some(Address { secure, authority, name, port, path });
        assert_eq!(
            address("http://localhost:9000/a/b"),
            place(false, "localhost:9000", "localhost", 9000, "/a/b")
        );
        assert_eq!(address("http://issuer"), place(false, "issuer", "issuer", 80, "/"));
        assert_eq!(address("https://issuer/x"), place(true, "issuer", "issuer", 443, "/x"));
        for url in ["http://", "http://a b/", "ftp://issuer", "https://me@issuer"] {
            assert_eq!(address(url), None, "{url}");
        }
    }
}
