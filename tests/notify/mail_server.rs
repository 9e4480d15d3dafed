//! Starts the mail server, and reads what it says.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use chronode::notify::{Channel, ChannelConfig, MailConfig};
use serde_json::Value;

/// Longer than anything takes; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server. It ends with its standard input, so with this.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    /// The certificate of whoever vouches for it, if it has one.
    pub(crate) ca_pem: Option<Vec<u8>>,
    said: mpsc::Receiver<Value>,
    child: Child,
    input: Option<ChildStdin>,
    _files: Option<tempfile::TempDir>,
}

impl MailServer {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::started(args, None, None)
    }

    /// With a certificate for `127.0.0.1`.
    pub(crate) fn with_certificate(args: &[&str]) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let files = tempfile::tempdir().unwrap();
        let paths = ["certificate.pem", "key.pem"].map(|name| files.path().join(name));
        std::fs::write(&paths[0], certificate.pem()).unwrap();
        std::fs::write(&paths[1], key.serialize_pem()).unwrap();
        let [certificate_path, key_path] = paths.map(|path| path.to_str().unwrap().to_owned());
        let args = [args, &["--certificate", &certificate_path, "--key", &key_path]].concat();
        Self::started(&args, Some(certificate.pem().into_bytes()), Some(files))
    }

    fn started(args: &[&str], ca_pem: Option<Vec<u8>>, files: Option<tempfile::TempDir>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python: PathBuf = root.join("target/python/bin/python");
        let missing = "the mail server is not installed: run tests/run, which installs it";
        let mut child = Command::new(&python)
            .arg(root.join("tests/notify/mail_server.py"))
            .args(args)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .env("PYTHONWARNINGS", "ignore")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: {missing}", python.display()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        let mut server = Self { port: 0, ca_pem, said, child, input, _files: files };
        let first = server.said.recv_timeout(PATIENCE);
        let first = first.unwrap_or_else(|_| panic!("the mail server did not start; {missing}"));
        server.port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        server
    }

    /// What it says next.
    pub(crate) fn next(&self) -> Value {
        self.said.recv_timeout(PATIENCE).expect("the mail server says something")
    }

    /// Whether it has said nothing more.
    pub(crate) fn is_silent(&self) -> bool {
        self.said.try_recv().is_err()
    }

    pub(crate) fn config(&self) -> MailConfig {
        MailConfig {
            trusted_pem: self.ca_pem.clone(),
            ..MailConfig::new("127.0.0.1", self.port, "Chronode <chronode@example.org>")
        }
    }

    pub(crate) fn channel(&self) -> Channel {
        Channel::new("mail", ChannelConfig::Mail(self.config())).unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.input.take());
        // One that hangs with a client does not end by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A header of a message, as Python reads it.
pub(crate) fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let headers = mail["headers"].as_array().unwrap();
    let mut found = headers.iter().filter(|header| header[0].as_str().unwrap() == name);
    let first = found.next()?;
    assert!(found.next().is_none(), "{name} is there twice");
    first[1].as_str()
}

/// The plain text and the HTML of a message, as Python reads them, with the line breaks of text.
pub(crate) fn parts(mail: &Value) -> (String, String) {
    assert_eq!(mail["type"], "multipart/alternative");
    assert_eq!(mail["defects"], serde_json::json!([]));
    let parts = mail["parts"].as_array().unwrap();
    let [plain, html] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!((&plain[0], &html[0]), (&"text/plain".into(), &"text/html".into()));
    let text = |part: &Value| part[1].as_str().unwrap().replace("\r\n", "\n");
    (text(plain), text(html))
}

/// The message as it came over the wire.
pub(crate) fn raw(mail: &Value) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.decode(mail["raw"].as_str().unwrap());
    String::from_utf8(bytes.unwrap()).unwrap()
}
