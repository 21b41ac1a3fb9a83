//! Connections over TLS: who is believed to be who they say.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where Linux distributions keep the authorities that they trust.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The file of authorities: as for the AWS SDKs, `AWS_CA_BUNDLE` goes before the system's.
pub(super) fn authorities() -> Option<PathBuf> {
    let given = std::env::var_os("AWS_CA_BUNDLE").map(PathBuf::from);
    given.or_else(|| SYSTEM.iter().map(PathBuf::from).find(|path| path.exists()))
}

/// What is believed over TLS: what the authorities of a file vouch for.
pub(super) fn believing(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let path = authorities
        .ok_or("this system has no list of authorities: name a file of certificates in AWS_CA_BUNDLE")?;
    let mut roots = RootCertStore::empty();
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        // A system's list may hold certificates of kinds that are not understood: the others still count.
        roots.add_parsable_certificates(certificate);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Speaks TLS with the one of this name.
pub(super) async fn secured(
    stream: TcpStream,
    name: &str,
    tls: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    let connecting = TlsConnector::from(tls).connect(name, stream).await;
    connecting.map_err(|error| error.to_string())
}
