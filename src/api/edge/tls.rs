//! TLS: certificate and key from files, read again on request, and certificates of clients if they are asked for.
//!
//! TLS 1.2 and later, by `rustls` with `ring`. A certificate that is read again holds for connections from then on;
//! those that are open go on with the old one. One that cannot be used changes nothing. A client's certificate opens
//! the connection and says nothing about rights: these are a matter of credentials alone.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// Where certificate and key are, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to one that clients know.
    pub certificate: PathBuf,
    /// Its key, which nobody else may read.
    pub key: PathBuf,
    /// The certificates by which those of clients are judged; `None` asks for none.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without one is turned away.
    pub is_client_required: bool,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` {why}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Certificate and key cannot be used together.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[source] rustls::Error),
}

/// TLS as it is spoken now.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`TlsError`]
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let config = RwLock::new(Arc::new(config(&files)?));
        Ok(Self { files, config })
    }

    /// Reads the files again. What is new holds for connections from now on.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; the old ones stay in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(config(&self.files)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// What speaks it with one client.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }
}

fn config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let TlsFiles { certificate, key, client_ca, is_client_required } = files;
    let chain = certificates(certificate)?;
    let key = private_key(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let content = |why: String| TlsError::Content { path: path.clone(), why };
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| {
                    content(format!("has a certificate that cannot be used: {error}"))
                })?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier =
                if *is_client_required { verifier } else { verifier.allow_unauthenticated() };
            let verifier = verifier
                .build()
                .map_err(|error| content(format!("cannot judge clients: {error}")))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = |why: String| TlsError::Content { path: path.to_owned(), why };
    let pem = read(path)?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| content(format!("is no PEM file: {error}")))?;
    if found.is_empty() {
        return Err(content(
            "has no certificate: it must have a part `BEGIN CERTIFICATE`".to_owned(),
        ));
    }
    Ok(found)
}

/// Bits of a key's mode that let somebody else have it. Its group may read it: distributions keep keys so.
const KEY_OPEN_BITS: u32 = 0o037;

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let content = |why: String| TlsError::Content { path: path.to_owned(), why };
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(failed)?.mode() & 0o7777;
    if mode & KEY_OPEN_BITS != 0 {
        return Err(content(format!(
            "can be read or changed by others (its mode is {mode:04o}): run `chmod 600` on it, and \
             take another key if somebody may have it"
        )));
    }
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| {
        content(format!("has no key that can be used: {error}; it must be PEM without a password"))
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}
