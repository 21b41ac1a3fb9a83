//! TLS to a database: whom to believe.

use crate::{Error, Kind, Tls};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where Linux distributions keep the authorities that they trust.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

pub(crate) fn config(tls: &Tls) -> Result<Option<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions = |provider: Arc<CryptoProvider>| {
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(Kind::Other, format!("TLS: {error}")))
    };
    Ok(match tls {
        Tls::Disable => None,
        Tls::Require => {
            let anybody = Arc::new(Anybody(provider.clone()));
            let config = versions(provider)?.dangerous().with_custom_certificate_verifier(anybody);
            Some(config.with_no_client_auth())
        }
        Tls::VerifyFull { ca } => {
            let roots = roots(&authorities(ca.as_deref())?)?;
            Some(versions(provider)?.with_root_certificates(roots).with_no_client_auth())
        }
    })
}

/// The file of the authorities to believe.
pub(crate) fn authorities(ca: Option<&Path>) -> Result<PathBuf, Error> {
    let system = || SYSTEM.iter().map(PathBuf::from).find(|path| path.exists());
    ca.map(Path::to_path_buf).or_else(system).ok_or_else(|| {
        Error::new(Kind::Refused, "this system has no list of authorities: name one with sslrootcert=FILE")
    })
}

fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let wrong = |error: &dyn std::fmt::Display| {
        Error::new(
            Kind::Refused,
            format!("{}: {error}; a PEM file of certificates is needed", path.display()),
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        // A system's list may hold certificates of kinds that are not understood: the others still count.
        roots.add_parsable_certificates([certificate]);
    }
    if roots.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(roots) }
}

/// `sslmode=require` asks for encryption and no more, as PostgreSQL's and MySQL's own clients mean it.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
