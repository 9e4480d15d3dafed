//! The examples for nginx and HAProxy, by the programs themselves, with TLS in front of a real scheduler.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{CertificateParams, KeyPair};
use reqwest::blocking::Client;
use serde_json::json;

use super::common::{PATIENCE, Place, Server, wait_for};
use super::root;

/// By which name people reach it, in the examples.
const NAME: &str = "cron.example.org";

struct Proxied {
    place: Place,
    server: Server,
    token: String,
}

impl Proxied {
    /// A scheduler with the options of the example.
    fn start() -> Self {
        let place = Place::new();
        let credentials = place.file("credentials");
        let output = Command::new(env!("CARGO_BIN_EXE_chronode"))
            .args(["credential", "add", "admin", "--role", "admin", "--credentials"])
            .arg(&credentials)
            .output()
            .unwrap();
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let example = root().join("packaging/examples/behind-a-proxy/chronode.yaml");
        let text = fs::read_to_string(example).unwrap();
        // What is of this test: where it is, and which port is free.
        let text: String = text
            .lines()
            .filter(|line| {
                !["data:", "jobs:", "http_port:"].iter().any(|key| line.starts_with(key))
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let text = text.replace("/etc/chronode/credentials", credentials.to_str().unwrap());
        fs::write(place.file("chronode.yaml"), text).unwrap();
        let config = place.file("chronode.yaml");
        let server = Server::start(&place.data(), &["--config", config.to_str().unwrap()]);
        Self { place, server, token }
    }

    /// The example with the places of this test; the port that it listens on with TLS.
    fn example(&self, file: &str, more: &[(&str, &str)]) -> (String, SocketAddr) {
        let path = root().join("packaging/examples/behind-a-proxy").join(file);
        let mut text = fs::read_to_string(path).unwrap();
        let tls = free_address();
        let upstream = self.server.url.strip_prefix("http://").unwrap().to_owned();
        let directory = self.place.file("tls");
        let port = tls.port().to_string();
        let own = [
            ("127.0.0.1:4400", upstream.as_str()),
            ("/etc/ssl/cron.example.org", directory.to_str().unwrap()),
            ("listen 443", &format!("listen 127.0.0.1:{port}")),
            ("listen 80", &format!("listen 127.0.0.1:{}", free_address().port())),
            ("bind :443", &format!("bind 127.0.0.1:{port}")),
        ];
        for (from, to) in own.iter().chain(more) {
            text = text.replace(from, to);
        }
        (text, tls)
    }

    /// Key and certificate, as the examples name them.
    fn certificate(&self) -> PathBuf {
        let directory = self.place.file("tls");
        fs::create_dir(&directory).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![NAME.to_owned()]).unwrap().self_signed(&key).unwrap();
        let (key, certificate) = (key.serialize_pem(), certificate.pem());
        for (name, text) in [
            ("fullchain.pem", &certificate),
            ("privkey.pem", &key),
            ("all.pem", &format!("{certificate}{key}")),
        ] {
            fs::write(directory.join(name), text).unwrap();
            let private = fs::Permissions::from_mode(0o600);
            fs::set_permissions(directory.join(name), private).unwrap();
        }
        directory.join("fullchain.pem")
    }

    /// What a person with a browser does, through the proxy at `address`.
    fn is_used_through(&self, proxy: &mut Proxy, certificate: &Path, address: SocketAddr) {
        let ca = reqwest::Certificate::from_pem(&fs::read(certificate).unwrap()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .tls_certs_only([ca])
            .resolve(NAME, address)
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let base = format!("https://{NAME}:{}", address.port());
        wait_for("the proxy", || {
            proxy.lives();
            client.get(format!("{base}/ping")).send().ok().filter(|it| it.status() == 200)
        });
        assert!(client.get(&base).send().unwrap().text().unwrap().contains("<title>"), "the page");
        let bearer = format!("Bearer {}", self.token);
        let ask = |method: &str, path: &str, origin: &str| {
            let method = method.parse().unwrap();
            let request = client.request(method, format!("{base}/scheduler/{path}"));
            request.header("Authorization", &bearer).header("Origin", origin)
        };
        let events = ask("GET", "events", &base).send().unwrap();
        assert_eq!(events.headers()["content-type"], "text/event-stream");
        let mut lines = BufReader::new(events).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "event: ready"));
        // Output is followed while its command says one thing and then waits for us.
        let release = self.place.file(&format!("release-{}", address.port()));
        let command =
            format!("echo begun; until [ -e {} ]; do sleep 0.02; done", release.display());
        let job = json!({"name": "a", "schedule": "R1//PT1M", "command": command, "retries": 0});
        let post = |origin: &str| {
            let request = ask("POST", "iso8601", origin).header("Content-Type", "application/json");
            request.body(job.to_string()).send().unwrap().status().as_u16()
        };
        // From its own page, and from another one.
        assert_eq!((post("https://evil.example"), post(&base)), (403, 204));
        assert!(lines.any(|line| line.starts_with("data:") && line.contains("\"started\"")));
        let run = self.server_runs().remove(0);
        let followed = ask("GET", &format!("run/{run}/stdout?follow=true"), &base).send().unwrap();
        let mut followed = BufReader::new(followed).lines().map(Result::unwrap);
        assert_eq!(followed.next().as_deref(), Some("begun"));
        fs::write(&release, "").unwrap();
        assert_eq!(followed.next(), None);
        assert!(lines.any(|line| line.starts_with("data:") && line.contains("\"ended\"")));
        let delete = ask("DELETE", "job/a", &base).send().unwrap();
        assert_eq!(delete.status(), 204);
    }

    /// Ids of runs, newest first.
    fn server_runs(&self) -> Vec<String> {
        let client = Client::new();
        let request = client.get(format!("{}/scheduler/runs?job=a", self.server.url));
        let answer = request.bearer_auth(&self.token).send().unwrap().text().unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let runs = answer["runs"].as_array().unwrap().iter();
        runs.map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// An address that is free now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A proxy that runs.
struct Proxy(Child);

impl Proxy {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().expect("tests/run installs it"))
    }

    fn lives(&mut self) {
        assert_eq!(self.0.try_wait().unwrap(), None, "the proxy has ended");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Both end their workers with themselves on TERM; on KILL they would leave them.
        if let Some(pid) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// Programs of administrators are not on everybody's path.
fn program(name: &str) -> Command {
    Command::new(Path::new("/usr/sbin").join(name))
}

#[test]
fn behind_nginx_and_haproxy_with_tls_everything_works_as_without() {
    let proxied = Proxied::start();
    let certificate = proxied.certificate();

    let (site, address) = proxied.example("nginx.conf", &[]);
    let directory = proxied.place.file("nginx");
    fs::create_dir(&directory).unwrap();
    let mut paths = String::new();
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        paths += &format!("{kind}_temp_path {}/{kind};\n", directory.display());
    }
    let whole = format!(
        "daemon off;\nworker_processes 1;\npid {0}/pid;\nerror_log {0}/error.log;\nevents {{}}\n\
         http {{\naccess_log off;\n{paths}{site}}}\n",
        directory.display()
    );
    fs::write(directory.join("nginx.conf"), whole).unwrap();
    let mut nginx = Proxy::start(
        program("nginx").arg("-c").arg(directory.join("nginx.conf")).args(["-e", "stderr"]),
    );
    proxied.is_used_through(&mut nginx, &certificate, address);

    let (text, address) = proxied.example("haproxy.cfg", &[]);
    let path = proxied.place.file("haproxy.cfg");
    fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    let checked = program("haproxy").args(["-c", "-f"]).arg(&path).output().unwrap();
    let told = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && !told.contains("[WARNING]"), "{told}");
    let mut haproxy = Proxy::start(program("haproxy").args(["-db", "-f"]).arg(&path));
    proxied.is_used_through(&mut haproxy, &certificate, address);
}
