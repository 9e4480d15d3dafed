//! TLS: certificates made here, read again, demanded of clients; handshakes that never end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::testing::{Answer, Fixture};
use super::super::{Limits, Options, Tls, TlsFiles};

/// An authority, and the files of a server.
struct Place {
    directory: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, in PEM.
fn issue(
    by: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    usage: ExtendedKeyUsagePurpose,
) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![usage];
    (params.signed_by(&key, by).unwrap().pem(), key.serialize_pem())
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap(), authority: authority() };
        place.renew();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Gives the server another certificate, and returns it.
    fn renew(&self) -> Vec<u8> {
        let (certificate, key) =
            issue(&self.authority, "localhost", ExtendedKeyUsagePurpose::ServerAuth);
        self.write("server.pem", &certificate);
        self.write("server.key", &key);
        CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap().to_vec()
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.file("server.pem"),
            key: self.file("server.key"),
            client_ca: None,
            is_client_required: false,
        }
    }

    fn client(&self, shows: Option<&(String, String)>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let client = match shows {
            None => client.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                client.with_client_auth_cert(chain, key).unwrap()
            }
        };
        TlsConnector::from(Arc::new(client))
    }
}

async fn connect(
    fixture: &Fixture,
    client: &TlsConnector,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(fixture.address()).await?;
    client.connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// Asks over an open connection. A client whose certificate is missed learns of that only when it reads.
async fn ping(stream: &mut TlsStream<TcpStream>, last: bool) -> std::io::Result<Answer> {
    let connection = if last { "Connection: close\r\n" } else { "" };
    let request = format!("GET /ping HTTP/1.1\r\nHost: localhost\r\n{connection}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut received = Vec::new();
    while !received.ends_with(b"pong\n") {
        if stream.read_buf(&mut received).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Answer::parse(&received, false))
}

fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

async fn start(place: &Place, files: TlsFiles) -> (Fixture, Arc<Tls>) {
    let _ = place;
    let tls = Arc::new(Tls::load(files).unwrap());
    (Fixture::start_at(&[Some(Arc::clone(&tls))], Options::default()).await, tls)
}

#[tokio::test]
async fn requests_are_answered_with_tls_and_browsers_told_to_stay_with_it() {
    let place = Place::new();
    let (fixture, _) = start(&place, place.files()).await;
    let mut stream = connect(&fixture, &place.client(None)).await.unwrap();
    let answer = ping(&mut stream, true).await.unwrap();
    assert_eq!(answer.text(), "pong\n");
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    // Whoever speaks no TLS hears nothing that could be taken for an answer.
    let mut plain = TcpStream::connect(fixture.address()).await.unwrap();
    plain.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut received = Vec::new();
    let _ = plain.read_to_end(&mut received).await;
    assert!(!received.starts_with(b"HTTP"), "{received:?}");
}

#[tokio::test]
async fn beside_an_entrance_without_tls_browsers_are_told_nothing() {
    let place = Place::new();
    let tls = Arc::new(Tls::load(place.files()).unwrap());
    let fixture = Fixture::start_at(&[Some(tls), None], Options::default()).await;
    let mut stream = connect(&fixture, &place.client(None)).await.unwrap();
    let answer = ping(&mut stream, true).await.unwrap();
    assert_eq!(answer.header("strict-transport-security"), None);
    let mut plain = TcpStream::connect(fixture.server.addresses()[1]).await.unwrap();
    plain.write_all(b"GET /ping HTTP/1.0\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut received = Vec::new();
    plain.read_to_end(&mut received).await.unwrap();
    assert!(received.ends_with(b"pong\n"));
}

#[tokio::test]
async fn a_certificate_that_is_read_again_holds_for_new_connections_and_cuts_none() {
    let place = Place::new();
    let (fixture, tls) = start(&place, place.files()).await;
    let client = place.client(None);
    let mut old = connect(&fixture, &client).await.unwrap();
    let first = shown(&old);
    let second = place.renew();
    assert_ne!(first, second);
    tls.reload().unwrap();
    let mut new = connect(&fixture, &client).await.unwrap();
    assert_eq!(shown(&new), second);
    assert!(ping(&mut old, false).await.is_ok());
    assert!(ping(&mut new, true).await.is_ok());

    // One that cannot be used changes nothing.
    for (name, text) in [("server.pem", "no certificate"), ("server.key", "no key")] {
        let kept = fs::read_to_string(place.file(name)).unwrap();
        place.write(name, text);
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        assert_eq!(shown(&connect(&fixture, &client).await.unwrap()), second);
        place.write(name, &kept);
    }
    assert!(ping(&mut old, true).await.is_ok());
}

#[tokio::test]
async fn clients_show_a_certificate_of_our_authority_where_that_is_demanded() {
    let place = Place::new();
    let ours = issue(&place.authority, "client", ExtendedKeyUsagePurpose::ClientAuth);
    let strangers = issue(&authority(), "client", ExtendedKeyUsagePurpose::ClientAuth);
    let servers = issue(&place.authority, "client", ExtendedKeyUsagePurpose::ServerAuth);
    let ca = place.write("ca.pem", &place.authority.pem());
    for (is_client_required, shows, expected) in [
        (true, Some(&ours), true),
        (true, None, false),
        (true, Some(&strangers), false),
        (true, Some(&servers), false),
        (false, None, true),
        (false, Some(&ours), true),
        (false, Some(&strangers), false),
    ] {
        let files = TlsFiles { client_ca: Some(ca.clone()), is_client_required, ..place.files() };
        let (fixture, _) = start(&place, files).await;
        let answered = match connect(&fixture, &place.client(shows)).await {
            Ok(mut stream) => ping(&mut stream, true).await.is_ok(),
            Err(_) => false,
        };
        assert_eq!(answered, expected, "required: {is_client_required}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_gives_its_place_to_others() {
    let place = Place::new();
    let tls = Arc::new(Tls::load(place.files()).unwrap());
    let limits =
        Limits { connections: 1, handshake_time: Duration::from_millis(100), ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let fixture = Fixture::start_at(&[Some(tls)], options).await;
    let silent = TcpStream::connect(fixture.address()).await.unwrap();
    let mut half = TcpStream::connect(fixture.address()).await.unwrap();
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00]).await.unwrap();
    // It waits until both have been turned away.
    let mut stream = connect(&fixture, &place.client(None)).await.unwrap();
    assert!(ping(&mut stream, true).await.is_ok());
    drop((silent, half));
}

#[test]
fn files_that_are_unsafe_or_no_pair_are_refused_with_the_remedy() {
    let place = Place::new();
    let refused = |files: TlsFiles| Tls::load(files).unwrap_err();
    let told = |error: &dyn std::error::Error| {
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        format!("{error} {source}")
    };
    for mode in [0o644, 0o604, 0o660, 0o610] {
        fs::set_permissions(place.file("server.key"), Permissions::from_mode(mode)).unwrap();
        let error = told(&refused(place.files()));
        assert!(error.contains("run `chmod 600`"), "{mode:o}: {error}");
    }
    fs::set_permissions(place.file("server.key"), Permissions::from_mode(0o640)).unwrap();
    Tls::load(place.files()).unwrap();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let key = place.write("other.key", &other);
    let error = told(&refused(TlsFiles { key, ..place.files() }));
    assert!(error.contains("certificate and key cannot be used"), "{error}");
    let empty = place.write("empty.pem", "");
    let error = told(&refused(TlsFiles { certificate: empty.clone(), ..place.files() }));
    assert!(error.contains("has no certificate"), "{error}");
    let error = told(&refused(TlsFiles { client_ca: Some(empty), ..place.files() }));
    assert!(error.contains("has no certificate"), "{error}");
    let gone = Path::new("/nowhere.pem").to_owned();
    let error = told(&refused(TlsFiles { certificate: gone, ..place.files() }));
    assert!(error.contains("`/nowhere.pem` cannot be read"), "{error}");
}
