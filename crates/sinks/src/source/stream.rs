//! The bytes below HTTP: plain, or TLS with the authorities that the system trusts.

use crate::Error;
use crate::stop::Stop;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How often whoever waits looks whether the answer is still wanted, and after how many looks it is not.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS_MAX: u32 = 300;

/// Where Linux distributions keep the authorities that they trust.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// An endpoint's URL, taken apart.
#[derive(Clone)]
pub struct Place {
    /// As the `host` header says it.
    pub host: String,
    name: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

pub enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

/// A connection whose answers are waited for as long as somebody wants them.
pub struct Socket {
    stream: TcpStream,
    given_up: Stop,
}

impl Place {
    pub fn parse(url: &str) -> Result<Place, Error> {
        let wrong = || Error::config(format!("endpoint {url}: http://host:port or https://host"));
        let (scheme, rest) = url.trim_end_matches('/').split_once("://").ok_or_else(wrong)?;
        let (port, tls) = match scheme {
            "http" => (80, None),
            "https" => (443, Some(Arc::new(config()?))),
            _ => return Err(wrong()),
        };
        if rest.is_empty() || rest.contains(['/', '?', '@']) {
            return Err(wrong());
        }
        let (name, port) = match rest.rsplit_once(':') {
            Some((name, digits)) if !digits.ends_with(']') => (name, digits.parse().map_err(|_| wrong())?),
            _ => (rest, port),
        };
        let name = name.trim_matches(['[', ']']).to_owned();
        Ok(Place { host: rest.to_owned(), name, port, tls })
    }

    pub fn connect(&self, given_up: &Stop) -> io::Result<Stream> {
        wanted(given_up)?;
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (self.name.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_MAX) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(LOOK_EVERY))?;
                    stream.set_write_timeout(Some(LOOK_EVERY))?;
                    stream.set_nodelay(true)?;
                    return self.secured(Socket { stream, given_up: given_up.clone() });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn secured(&self, stream: Socket) -> io::Result<Stream> {
        let Some(config) = &self.tls else { return Ok(Stream::Plain(stream)) };
        let name = ServerName::try_from(self.name.clone()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        Ok(Stream::Tls(Box::new(StreamOwned::new(connection, stream))))
    }
}

fn wanted(given_up: &Stop) -> io::Result<()> {
    match given_up.is_set() {
        true => Err(io::Error::other("told to stop")),
        false => Ok(()),
    }
}

impl Socket {
    fn patiently(&mut self, mut work: impl FnMut(&mut TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        for _ in 0..LOOKS_MAX {
            wanted(&self.given_up)?;
            match work(&mut self.stream) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                done => return done,
            }
        }
        let silence = LOOK_EVERY * LOOKS_MAX;
        Err(io::Error::new(ErrorKind::TimedOut, format!("no answer for {} s", silence.as_secs())))
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.patiently(|stream| stream.read(buffer))
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn config() -> Result<ClientConfig, Error> {
    let told = |error: &dyn std::fmt::Display| Error::config(format!("TLS: {error}"));
    let given = std::env::var_os("AWS_CA_BUNDLE").map(std::path::PathBuf::from);
    let system = || SYSTEM.iter().map(std::path::PathBuf::from).find(|path| path.exists());
    let path = given
        .or_else(system)
        .ok_or_else(|| told(&"this system has no list of authorities: name a PEM file in AWS_CA_BUNDLE"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&path).map_err(|error| told(&error))? {
        // A system's list may hold certificates of kinds that are not understood: the others still count.
        roots.add_parsable_certificates(certificate);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|error| told(&error))?.with_root_certificates(roots).with_no_client_auth())
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        let place = |url| Place::parse(url).map(|place| (place.name, place.port, place.tls.is_some())).ok();
        assert_eq!(place("http://127.0.0.1:4566/"), Some(("127.0.0.1".to_owned(), 4566, false)));
        assert_eq!(place("http://[::1]"), Some(("::1".to_owned(), 80, false)));
        for wrong in ["127.0.0.1:4566", "ftp://a", "http://", "http://a/b", "http://a:b"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
