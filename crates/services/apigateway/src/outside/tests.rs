//! Servers that answer well, badly, late, or not at all.

use super::{Answer, Errand, Outside, Trouble};
use bytes::Bytes;
use http::{HeaderMap, Method};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/outside/tls");

fn own(file: &str) -> std::path::PathBuf {
    std::path::Path::new(FOLDER).join(file)
}

fn errand(url: &str) -> Errand<'_> {
    Errand {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: Duration::from_secs(20),
        answer_bytes_max: 100,
    }
}

/// Reads a request and answers it; tells its head.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.expect("a request"));
    }
    stream.write_all(answer.as_bytes()).await.expect("an answer");
    stream.shutdown().await.expect("an end");
    String::from_utf8_lossy(&request).into_owned()
}

/// What a server's answer comes to, and the head of what it was asked.
async fn asked(text: &'static str) -> (Result<Answer, Trouble>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/a?b=c", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a caller");
        answer(stream, text).await
    });
    let told = Outside::new().ask(errand(&url)).await;
    (told, serving.await.expect("a server").replace(&url[7..url.len() - 6], "here"))
}

#[tokio::test]
async fn answers_come_whole_in_chunks_or_to_the_end() {
    for (text, status, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"),
        ("HTTP/1.1 404 Not Found\r\n\r\nhi", 404, "hi"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n", 200, "hi"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ] {
        let (told, head) = asked(text).await;
        let told = told.unwrap_or_else(|trouble| panic!("{text}: {trouble}"));
        assert_eq!((told.status.as_u16(), &told.body[..]), (status, body.as_bytes()), "{text}");
        assert_eq!(head, "GET /a?b=c HTTP/1.1\r\nhost: here\r\n\r\n");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    let (told, _) = asked("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi").await;
    assert!(matches!(told, Err(Trouble::Network(_))), "an answer that breaks off");
    let (told, _) = asked("SMTP\r\n\r\n").await;
    assert!(matches!(told, Err(Trouble::Network(_))), "no HTTP");
    let long: &str = Box::leak(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(101)).into_boxed_str());
    assert!(matches!(asked(long).await.0, Err(Trouble::TooLarge)));
    for url in ["nothing", "ftp://a/", "http://a b/", "http://name.invalid/"] {
        let told = Outside::new().ask(errand(url)).await;
        assert!(matches!(told, Err(Trouble::Address(_))), "{url}");
    }
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let mut soon = errand(&url);
    soon.timeout = Duration::from_millis(1);
    assert!(matches!(Outside::new().ask(soon).await, Err(Trouble::Timeout)), "nobody accepts");
    drop(listener);
    assert!(matches!(Outside::new().ask(errand(&url)).await, Err(Trouble::Network(_))), "nobody listens");
}

/// A server that its own authority vouches for, as `localhost`.
#[tokio::test]
async fn tls_is_spoken_with_whom_an_authority_knows() {
    let chain = vec![CertificateDer::from_pem_file(own("issuer.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(own("issuer-key.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth().with_single_cert(chain, key);
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("a server")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://localhost:{}/", listener.local_addr().expect("an address").port());
    let (done, over) = oneshot::channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a caller");
            // A stranger's authority ends the handshake.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let asked = answer(stream, "HTTP/1.1 200 OK\r\n\r\nhi").await;
            return done.send(asked).expect("a listener");
        }
    });
    for (authority, refusal) in [(None, "AWS_CA_BUNDLE"), (Some("issuer.pem"), "certificate")] {
        let outside = Outside::believing(authority.map(own));
        let Err(Trouble::Network(words)) = outside.ask(errand(&url)).await else { panic!("nobody vouches") };
        assert!(words.contains(refusal), "{words}");
    }
    let told = Outside::believing(Some(own("authority.pem"))).ask(errand(&url)).await;
    assert_eq!(told.expect("an answer").body, "hi");
    assert!(over.await.expect("a request").starts_with("GET / HTTP/1.1\r\n"));
}
