//! A receiver of HTTP whose every answer is given by the test. What it answers nothing to hangs.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Longer than anything takes; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was posted, and the way to answer it.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    reply: oneshot::Sender<Response<Body>>,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn answer(self, status: u16, headers: &[(&str, &str)], body: impl Into<Body>) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        // Fails if whoever asked has gone away.
        let _ = self.reply.send(response.body(body.into()).unwrap());
    }
}

/// A receiver. It ends with the runtime.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) at: SocketAddr,
    posted: mpsc::UnboundedReceiver<Posted>,
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        Self::behind(listener, at)
    }

    /// With TLS, and the certificate in PEM that vouches for it.
    pub(crate) async fn with_certificate() -> (Self, Vec<u8>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        // Fails if another test has done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shown = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], shown)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        (Self::behind(Guarded { listener, acceptor }, at), certificate.pem().into_bytes())
    }

    fn behind<L: axum::serve::Listener<Addr = SocketAddr>>(listener: L, at: SocketAddr) -> Self {
        let (sender, posted) = mpsc::unbounded_channel();
        let router = axum::Router::new().fallback(move |request: Request| {
            let sender = sender.clone();
            async move {
                let (parts, body) = request.into_parts();
                let (reply, answer) = oneshot::channel();
                let posted = Posted {
                    method: parts.method.to_string(),
                    path: parts.uri.to_string(),
                    headers: parts.headers,
                    body: to_bytes(body, 64 << 20).await.unwrap(),
                    reply,
                };
                sender.send(posted).unwrap();
                answer.await.unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { at, posted }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Posted {
        let waited = tokio::time::timeout(PATIENCE, self.posted.recv()).await;
        waited.expect("something is posted").expect("the receiver lives")
    }

    /// What has come already.
    pub(crate) fn at_once(&mut self) -> Option<Posted> {
        self.posted.try_recv().ok()
    }

    /// Whether nothing more has come.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.at_once().is_none()
    }
}

/// Connections with TLS.
struct Guarded {
    listener: TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl axum::serve::Listener for Guarded {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, at) = self.listener.accept().await.unwrap();
            // Whoever does not trust the certificate goes away.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, at);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
