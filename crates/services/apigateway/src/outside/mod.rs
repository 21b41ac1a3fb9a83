//! Servers elsewhere, asked over HTTP: one request, one connection, one whole answer.

mod place;
mod trust;

pub(crate) use place::{Place, address};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What is asked of a server.
pub(crate) struct Errand<'a> {
    pub method: Method,
    /// `http://…` or `https://…`, encoded.
    pub url: &'a str,
    /// All but what belongs to the connection; `host` is the URL's, unless it is here.
    pub headers: HeaderMap,
    pub body: Bytes,
    pub timeout: Duration,
    pub answer_bytes_max: usize,
}

pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The URL leads nowhere: it is none, or its host has no address.
    Address(String),
    /// Nobody answers there, or not as HTTP and TLS have it.
    Network(String),
    /// It took too long.
    Timeout,
    TooLarge,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Address(words) | Trouble::Network(words) => out.write_str(words),
            Trouble::Timeout => out.write_str("there was no answer in time"),
            Trouble::TooLarge => out.write_str("the answer is too large"),
        }
    }
}

/// Who asks: with the authorities that it believes over TLS, read once.
#[derive(Clone)]
pub(crate) struct Outside {
    authorities: Option<PathBuf>,
    tls: Arc<OnceLock<Arc<rustls::ClientConfig>>>,
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

impl Outside {
    pub fn new() -> Outside {
        Outside::believing(trust::authorities())
    }

    /// `authorities`: a file of certificates.
    pub fn believing(authorities: Option<PathBuf>) -> Outside {
        Outside { authorities, tls: Arc::default() }
    }

    pub async fn ask(&self, errand: Errand<'_>) -> Result<Answer, Trouble> {
        let timeout = errand.timeout;
        // Boxed: this is part of the futures of everything that serves.
        let answer: std::pin::Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin(self.exchange(errand));
        tokio::time::timeout(timeout, answer).await.unwrap_or(Err(Trouble::Timeout))
    }

    async fn exchange(&self, errand: Errand<'_>) -> Result<Answer, Trouble> {
        let url = errand.url;
        let network = |error: &dyn std::fmt::Display| Trouble::Network(format!("{url}: {error}"));
        let place = Place::of(url).ok_or_else(|| Trouble::Address(format!("{url} is no http(s) URL")))?;
        let stream = self.connect(&place).await?;
        let mut request = http::Request::new(Full::new(errand.body));
        *request.method_mut() = errand.method;
        *request.uri_mut() = place.target.parse().map_err(|_| Trouble::Address(url.to_owned()))?;
        *request.headers_mut() = errand.headers;
        let host = place.authority.parse().map_err(|_| Trouble::Address(url.to_owned()))?;
        // Whoever asks may know the server by another name.
        request.headers_mut().entry(header::HOST).or_insert(host);
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| network(&error))?;
        let answer = async move {
            let response = sender.send_request(request).await.map_err(|error| network(&error))?;
            let (parts, mut rest) = response.into_parts();
            let mut body = BytesMut::new();
            while let Some(frame) = rest.frame().await {
                let Ok(data) = frame.map_err(|error| network(&error))?.into_data() else { continue };
                if body.len() + data.len() > errand.answer_bytes_max {
                    return Err(Trouble::TooLarge);
                }
                body.extend_from_slice(&data);
            }
            Ok(Answer { status: parts.status, headers: parts.headers, body: body.freeze() })
        };
        // The connection ends when nobody is left who would send on it; its own error is the answer's, too.
        let (answer, _) = tokio::join!(answer, connection);
        answer
    }

    async fn connect(&self, place: &Place<'_>) -> Result<Box<dyn Wire>, Trouble> {
        let of = |error: &dyn std::fmt::Display| format!("{}: {error}", place.authority);
        let found = tokio::net::lookup_host((place.name, place.port)).await;
        let found: Vec<_> = found.map_err(|error| Trouble::Address(of(&error)))?.collect();
        let stream = TcpStream::connect(&found[..]).await.map_err(|error| Trouble::Network(of(&error)))?;
        if !place.secure {
            return Ok(Box::new(stream));
        }
        let tls = match self.tls.get() {
            Some(tls) => tls.clone(),
            None => {
                let made = trust::believing(self.authorities.as_deref());
                let made = made.map_err(|error| Trouble::Network(of(&error)))?;
                self.tls.get_or_init(|| made).clone()
            }
        };
        let stream = trust::secured(stream, place.name, tls).await;
        Ok(Box::new(stream.map_err(|error| Trouble::Network(of(&error)))?))
    }
}

#[cfg(test)]
mod tests;
