//! Who is let in, and what gets out: the binary with credentials, TLS, an audit log and secrets.

mod common;

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{PATIENCE, Place, Response, Server, program, request, wait_for};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::fs::FlockOperation;
use rustix::process::Signal;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Types `chronode …`, with something on its standard input.
fn chronode(words: &[&str], input: &str, env: &[(&str, &str)]) -> Output {
    let mut child = Command::new(program())
        .args(words)
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Adds a token to a file and returns it.
fn add(file: &Path, name: &str, role: &str, more: &[&str]) -> String {
    let words =
        ["credential", "add", name, "--role", role, "--credentials", file.to_str().unwrap()];
    let output = chronode(&[&words, more].concat(), "", &[]);
    assert!(output.status.success(), "{}", told(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A request with one more header.
fn send(url: &str, method: &str, header: Option<(&str, &str)>, body: Option<&Value>) -> Response {
    // Another client than that of `common` only where a header is needed.
    let Some((name, value)) = header else { return request(url, method, body) };
    let client = client(None);
    let mut request = client.request(method.parse().unwrap(), url).header(name, value);
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    let response = request.send().unwrap();
    let headers = response.headers().iter();
    let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap_or("").to_owned()));
    let (status, headers) = (response.status().as_u16(), headers.collect());
    Response { status, headers, body: response.text().unwrap() }
}

fn client(ca: Option<&Path>) -> reqwest::blocking::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder().timeout(PATIENCE);
    let certificates = ca.map(|ca| reqwest::Certificate::from_pem(&fs::read(ca).unwrap()).unwrap());
    client.tls_certs_only(certificates).build().unwrap()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn records(data: &Path) -> Vec<Value> {
    let text = fs::read_to_string(data.join("audit.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// An authority whose certificate is in `ca.pem`, and what it made for `localhost`.
fn certificates(place: &Place) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    write(&place.file("ca.pem"), &ca.pem(), 0o644);
    renew(place, &ca);
    ca
}

fn renew(place: &Place, ca: &CertifiedIssuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    write(&place.file("server.pem"), &params.signed_by(&key, ca).unwrap().pem(), 0o644);
    write(&place.file("server.key"), &key.serialize_pem(), 0o600);
}

/// One way to start that is refused: the flags, the environment, and what the refusal must say.
type Unsafe<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn what_would_be_unsafe_does_not_start_and_says_what_to_do() {
    let place = Place::new();
    certificates(&place);
    let path = |name: &str| place.file(name).to_str().unwrap().to_owned();
    let (good, open, group) = (path("good"), path("open"), path("group"));
    add(&place.file("good"), "ann", "admin", &[]);
    let text = fs::read_to_string(&good).unwrap();
    write(&place.file("open"), &text, 0o644);
    write(&place.file("group"), &text, 0o620);
    write(&place.file("empty"), "# nobody yet\n", 0o600);
    write(&place.file("twice"), &text.repeat(2), 0o600);
    write(&place.file("broken"), "ann:secret\n", 0o600);
    write(&place.file("misspelt"), &text.replace("\"role\"", "\"expiry\":\"x\",\"role\""), 0o600);
    // SHA-256 of `changeme`.
    let hash = "057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86";
    let line = format!(r#"{{"name":"x","kind":"token","role":"admin","hash":"sha256:{hash}"}}"#);
    write(&place.file("sample"), &line, 0o600);
    write(&place.file("login"), "ann:admin\n", 0o600);
    write(&place.file("open-login"), &format!("bob:{PASSWORD}\n"), 0o644);
    write(&place.file("same-login"), &format!("ann:{PASSWORD}\n"), 0o600);
    write(&place.file("open.key"), &fs::read_to_string(path("server.key")).unwrap(), 0o644);
    write(&place.file("other.key"), &KeyPair::generate().unwrap().serialize_pem(), 0o600);
    let (empty, twice, broken, misspelt, sample) =
        (path("empty"), path("twice"), path("broken"), path("misspelt"), path("sample"));
    let at = |name: &str| format!("@{}", path(name));
    let (login, open_login, same_login) = (at("login"), at("open-login"), at("same-login"));
    let (pem, key, ca) = (path("server.pem"), path("server.key"), path("ca.pem"));
    let (open_key, other_key, gone) = (path("open.key"), path("other.key"), path("gone"));
    let directory = path("data-open");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, Permissions::from_mode(0o777)).unwrap();
    let tls = ["--tls_certificate", &pem, "--tls_key", &key];

    let cases: &[Unsafe<'_>] = &[
        (
            &["--http_address", "0.0.0.0"],
            &[],
            &["http_address", "--credentials FILE", "--insecure"],
        ),
        (&["--http_address", "::"], &[], &["http_address", "any command"]),
        (
            &[&tls[..], &["--https_address", "0.0.0.0"]].concat(),
            &[],
            &["https_address", "--credentials FILE"],
        ),
        (&["--credentials", &gone], &[], &[&gone, "cannot be read"]),
        (&["--credentials", &open], &[], &[&open, "0644", "chmod 600"]),
        (&["--credentials", &group], &[], &[&group, "0620", "chmod 600"]),
        (&["--credentials", &empty], &[], &["nobody could be let in", "credential add"]),
        (&["--credentials", &twice], &[], &["line 2", "`ann` is there twice"]),
        (&["--credentials", &broken], &[], &["line 1", "no JSON object"]),
        (&["--credentials", &misspelt], &[], &["no field `expiry`"]),
        (&["--credentials", &sample], &[], &["stands in examples", "credential add"]),
        (&["--http_credentials", "admin:admin"], &[], &["http_credentials", "choose another"]),
        (&["--http_credentials", "ann:"], &[], &["http_credentials", "is empty"]),
        (&["--http_credentials", "ann"], &[], &["http_credentials", "a colon between"]),
        (
            &[],
            &[("MESOSPHERE_HTTP_CREDENTIALS", "user:Password")],
            &["MESOSPHERE_HTTP_CREDENTIALS", "choose another"],
        ),
        (&["--http_credentials", &login], &[], &["http_credentials", "choose another"]),
        (&["--http_credentials", &open_login], &[], &["http_credentials", "chmod 600"]),
        (&["--credentials", &good, "--http_credentials", &same_login], &[], &["`ann`", "already"]),
        (&["--tls_certificate", &pem], &[], &["tls_certificate", "--tls_key"]),
        (&["--tls_key", &key], &[], &["tls_key", "--tls_certificate"]),
        (&["--tls_certificate", &pem, "--tls_key", &open_key], &[], &[&open_key, "chmod 600"]),
        (&["--tls_certificate", &pem, "--tls_key", &other_key], &[], &["cannot be used"]),
        (&["--tls_certificate", &key, "--tls_key", &key], &[], &[&key, "no certificate"]),
        (&[&tls[..], &["--tls_client_required"]].concat(), &[], &["--tls_client_ca"]),
        (&["--tls_client_ca", &ca], &[], &["tls_client_ca", "needs TLS"]),
        (&["--disable_http"], &[], &["disable_http", "nothing would listen"]),
        (&["--ssl_keystore_path", "/k.jks"], &[], &["keytool -importkeystore", "openssl pkcs12"]),
        (&[], &[("MESOSPHERE_KEYSTORE_PASS", "x")], &["MESOSPHERE_KEYSTORE_PASS", "--tls_key"]),
        (&["--cors_origin", "https://a.example"], &[], &["cors_origin", "--credentials FILE"]),
        (&["--credentials", &good, "--cors_origin", "*"], &[], &["cors_origin", "`*` is refused"]),
        (
            &["--http_allowed_host", "https://a.example"],
            &[],
            &["http_allowed_host", "without scheme"],
        ),
        (&["--http_allowed_host", "a.example,*"], &[], &["http_allowed_host", "`*` is refused"]),
        (&["--run_as", "0,nobody"], &[], &["run_as", "names of users"]),
        (&["--data", &directory], &[], &["others may write to it", "chmod go-w"]),
    ];
    for (flags, env, expected) in cases {
        let mut words = vec!["serve", "--http_port", "0"];
        let data = path("data");
        if !flags.contains(&"--data") {
            words.extend(["--data", &data]);
        }
        words.extend(*flags);
        let output = chronode(&words, "", env);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(1), "{flags:?} {env:?}: {text}");
        for word in *expected {
            assert!(text.contains(word), "{flags:?} {env:?} says no `{word}`: {text}");
        }
        assert!(!text.contains(PASSWORD) && !text.contains("sha256:"), "{text}");
        assert!(output.stdout.is_empty(), "{flags:?}: it has begun to listen");
    }
    assert!(cases.len() >= 12);

    // State that others could have changed.
    Server::start(&place.data(), &[]).terminate();
    for name in ["chronode.db", "audit.jsonl"] {
        let file = place.data().join(name);
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        let refused = Server::try_start(&place.data(), &[], &[]).unwrap_err();
        assert!(refused.log.contains(name) && refused.log.contains("chmod 600"), "{}", refused.log);
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    }
    Server::start(&place.data(), &[]);
}

#[test]
fn tokens_are_made_shown_once_used_and_taken_back() {
    let place = Place::new();
    let file = place.file("credentials");
    let admin = add(&file, "root", "admin", &[]);
    let viewer =
        add(&file, "eve", "viewer", &["--scope", "bill-*", "--expires", "2999-01-01T00:00:00Z"]);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&admin) && !text.contains(&viewer), "only hashes are kept");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let given = file.to_str().unwrap();
    let list = chronode(&["credential", "list", "--credentials", given], "", &[]);
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(
        list.contains("bill-*  until 2999-01-01T00:00:00Z") && list.contains("all jobs"),
        "{list}"
    );
    for (words, input, expected) in [
        (["add", "eve", "--role", "admin"].as_slice(), "", "is there already"),
        (
            &["add", "bob", "--role", "admin", "--expires", "2001-01-01T00:00:00Z"],
            "",
            "in the past",
        ),
        (&["add", "bob", "--role", "admin", "--password-stdin"], "changeme\n", "choose another"),
        (&["add", "bob", "--role", "admin", "--password-stdin"], "short one\n", "at least 12"),
        (&["add", "bob", "--role", "admin", "--password-stdin"], "\n", "is empty"),
        (&["add", "bob", "--role", "owner"], "", "viewer, operator, editor"),
        (&["add", "bob", "--role", "admin", "--scope", "bill*"], "", "separator"),
        (&["add", "b:b", "--role", "admin"], "", "is no name"),
        (&["remove", "bob"], "", "there is no `bob`"),
    ] {
        let words = [&["credential"], words, &["--credentials", given]].concat();
        let output = chronode(&words, input, &[]);
        assert!(
            !output.status.success() && told(&output).contains(expected),
            "{words:?}: {}",
            told(&output)
        );
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "nothing was changed by what was refused");

    // Reached from everywhere, because nobody gets in without credentials.
    let server =
        Server::start(&place.data(), &["--credentials", given, "--http_address", "0.0.0.0"]);
    common::wait_for("the warning", || server.log().contains("in the clear").then_some(()));
    let port = server.url.rsplit(':').next().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let get = |path: &str, token: &str| {
        send(&format!("{url}{path}"), "GET", Some(("Authorization", &bearer(token))), None).status
    };
    assert_eq!(request(&format!("{url}/ping"), "GET", None).status, 200);
    let refused = request(&format!("{url}/scheduler/jobs"), "GET", None);
    assert_eq!(refused.status, 401);
    let asked: Vec<_> =
        refused.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
    assert_eq!(asked[0].1, "Basic realm=\"Mesosphere\"");
    let refusal: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(refusal["code"], "credentials_missing");
    assert_eq!((get("/scheduler/jobs", &admin), get("/scheduler/jobs", &viewer)), (200, 200));
    assert_eq!((get("/scheduler/audit", &admin), get("/scheduler/audit", &viewer)), (200, 403));

    // Our own command line shows a token in each of its ways, and says so when it is refused.
    let client = |more: &[&str], env: &[(&str, &str)]| {
        chronode(&[&["job", "list", "--server", &url], more].concat(), "", env)
    };
    let token_file = place.file("token");
    write(&token_file, &format!("{viewer}\n"), 0o600);
    assert!(client(&[], &[("CHRONODE_TOKEN", &viewer)]).status.success());
    assert!(client(&["--token", &admin], &[]).status.success());
    assert!(client(&["--token_file", token_file.to_str().unwrap()], &[]).status.success());
    assert!(client(&["--user", &format!("eve:{viewer}")], &[]).status.success());
    let without = client(&[], &[]);
    assert_eq!(without.status.code(), Some(1));
    assert!(told(&without).contains("needs credentials"), "{}", told(&without));
    assert_eq!(client(&["--user", "eve"], &[]).status.code(), Some(2));
    assert_eq!(client(&["--user", "a:b"], &[("CHRONODE_TOKEN", "x")]).status.code(), Some(2));

    // Taken back, and somebody else let in by a password, without a restart.
    assert!(
        chronode(&["credential", "remove", "eve", "--credentials", given], "", &[])
            .status
            .success()
    );
    let words = [
        "credential",
        "add",
        "bob",
        "--role",
        "editor",
        "--password-stdin",
        "--credentials",
        given,
    ];
    assert!(chronode(&words, &format!("{PASSWORD}\n"), &[]).status.success());
    assert_eq!(
        get("/scheduler/jobs", &viewer),
        200,
        "nothing is read again before it is asked for"
    );
    server.signal(Signal::HUP);
    wait_for("the change to hold", || (get("/scheduler/jobs", &viewer) == 401).then_some(()));
    let user = format!("bob:{PASSWORD}");
    assert!(client(&["--user", &user], &[]).status.success());
    assert!(!client(&["--user", &format!("{user}x")], &[]).status.success());

    // A file that has become unsafe changes nothing.
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    server.signal(Signal::HUP);
    wait_for("the refusal to be told", || {
        server.log().contains("the old credentials stay in force").then_some(())
    });
    assert_eq!(get("/scheduler/jobs", &admin), 200);
    server.terminate();

    let details: Vec<String> = records(&place.data())
        .iter()
        .filter(|record| record["door"] == "process")
        .map(|it| {
            format!(
                "{} {}",
                it["what"].as_str().unwrap(),
                it["detail"].as_str().unwrap_or_default()
            )
        })
        .collect();
    let has = |text: &str| details.iter().any(|detail| detail.contains(text));
    for text in [
        "start version",
        "credential `eve` removed",
        "credential `bob` added, editor",
        "reload",
        "stop",
    ] {
        assert!(has(text), "no `{text}`: {details:#?}");
    }
}

#[test]
fn an_export_shows_who_asks_in_each_way() {
    let place = Place::new();
    let file = place.file("credentials");
    let token = add(&file, "ann", "viewer", &[]);
    let server = Server::start(&place.data(), &["--credentials", file.to_str().unwrap()]);
    let token_file = place.file("token");
    write(&token_file, &format!("{token}\n"), 0o600);
    let (token_file, login) = (token_file.to_str().unwrap(), format!("ann:{token}"));
    let export = |more: &[&str], env: &[(&str, &str)]| {
        let words = ["export", "chronos", "--server", &server.url];
        chronode(&[&words, more].concat(), "", env)
    };
    type Way<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);
    let ways: [Way<'_>; 6] = [
        (&["--token", &token], &[]),
        (&["--token_file", token_file], &[]),
        (&["--user", &login], &[]),
        (&[], &[("CHRONODE_TOKEN", &token)]),
        (&[], &[("CHRONODE_TOKEN_FILE", token_file)]),
        (&[], &[("CHRONODE_LOGIN", &login)]),
    ];
    for (more, env) in ways {
        let output = export(more, env);
        assert!(output.status.success(), "{more:?} {env:?}: {}", told(&output));
    }
    let without = export(&[], &[]);
    assert_eq!(without.status.code(), Some(1));
    assert!(told(&without).contains("needs credentials"), "{}", told(&without));
}

#[test]
fn the_administrator_of_chronos_flag_is_let_in_by_name_and_password() {
    let place = Place::new();
    let login = format!("ann:{PASSWORD}");
    let file = place.file("login");
    write(&file, &format!("{login}\n"), 0o600);
    let from_file = format!("@{}", file.to_str().unwrap());
    type Start<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);
    let cases: [Start<'_>; 3] = [
        (&["--http_credentials", &login, "--http_realm", "Cron at night"], &[]),
        (&["--http-credentials", &from_file, "--http_realm", "Cron at night"], &[]),
        (&[], &[("MESOSPHERE_HTTP_CREDENTIALS", &login), ("CHRONODE_HTTP_REALM", "Cron at night")]),
    ];
    for (flags, env) in cases {
        let server = Server::try_start(&place.data(), flags, env).unwrap();
        let refused = server.request("GET", "/scheduler/jobs", None);
        assert_eq!(refused.status, 401);
        let realm = ("www-authenticate".to_owned(), "Basic realm=\"Cron at night\"".to_owned());
        assert!(refused.headers.contains(&realm), "{refused:?}");
        let with_login = server.url.replace("http://", "http://ann:correct%20horse%20battery@");
        let words = ["job", "list", "--server", &with_login];
        let output = chronode(&words, "", &[]);
        assert!(output.status.success(), "{}", told(&output));
        assert!(!server.log().contains(PASSWORD), "{}", server.log());
        server.terminate();
    }
}

#[test]
fn root_edits_the_file_of_another_user_and_it_stays_theirs() {
    if !rustix::process::geteuid().is_root() {
        panic!("this test edits a file of another user: run it as root");
    }
    let place = Place::new();
    let file = place.file("credentials");
    add(&file, "ann", "admin", &[]);
    std::os::unix::fs::chown(&file, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
    let given = file.to_str().unwrap();
    let belongs = || {
        let metadata = fs::metadata(&file).unwrap();
        (metadata.uid(), metadata.gid(), metadata.permissions().mode() & 0o7777)
    };
    add(&file, "bob", "viewer", &[]);
    assert_eq!(belongs(), (65534, 65534, 0o400));
    let removed = chronode(&["credential", "remove", "ann", "--credentials", given], "", &[]);
    assert!(removed.status.success(), "{}", told(&removed));
    assert_eq!(belongs(), (65534, 65534, 0o400));
    let list = chronode(&["credential", "list", "--credentials", given], "", &[]);
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("bob") && !list.contains("ann"), "{list}");
    // A scheduler of root does not let in whom another user names.
    let refused = Server::try_start(&place.data(), &["--credentials", given], &[]).unwrap_err();
    assert!(refused.log.contains("belongs to user 65534"), "{}", refused.log);
}

#[test]
fn a_change_waits_for_another_and_loses_nothing_of_it() {
    let place = Place::new();
    let file = place.file("credentials");
    add(&file, "ann", "admin", &[]);
    let given = file.to_str().unwrap();
    let directory = fs::File::open(file.parent().unwrap()).unwrap();
    rustix::fs::flock(&directory, FlockOperation::LockExclusive).unwrap();
    let words = ["credential", "add", "bob", "--role", "viewer", "--credentials", given];
    let mut waiting = Command::new(program())
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waits = format!(" {} ", waiting.id());
    wait_for("it to wait for the lock", || {
        assert_eq!(waiting.try_wait().unwrap(), None, "it does not wait");
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&waits)).then_some(())
    });
    // What the other call does while it has the lock.
    let text = fs::read_to_string(&file).unwrap();
    let other = text.replace("\"ann\"", "\"eve\"");
    write(&file, &format!("{text}{other}"), 0o600);
    drop(directory);
    assert!(waiting.wait().unwrap().success());
    let kept = fs::read_to_string(&file).unwrap();
    for name in ["ann", "eve", "bob"] {
        assert!(kept.contains(&format!("\"{name}\"")), "`{name}` is lost: {kept}");
    }
}

#[test]
fn with_credentials_other_local_users_may_ask_and_without_only_root() {
    if !rustix::process::geteuid().is_root() {
        panic!("this test asks as another user: run it as root");
    }
    let place = Place::new();
    let file = place.file("credentials");
    let token = add(&file, "ann", "viewer", &[]);
    let ask = |server: &Server, header: &str| {
        let port = server.url.rsplit(':').next().unwrap();
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET /scheduler/jobs HTTP/1.1\\r\\nHost: localhost\\r\\n\
             Connection: close\\r\\n{header}\\r\\n' >&3; head -n 1 <&3"
        );
        let words =
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", "bash", "-c", &script];
        let output = Command::new("setpriv").args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let server = Server::start(&place.data(), &[]);
    assert!(ask(&server, "").contains(" 403 "), "{}", ask(&server, ""));
    server.terminate();
    let server = Server::start(&place.data(), &["--credentials", file.to_str().unwrap()]);
    assert!(ask(&server, "").contains(" 401 "));
    let header = format!("Authorization: Bearer {token}\\r\\n");
    assert!(ask(&server, &header).contains(" 200 "));
}

#[test]
fn tls_is_spoken_with_a_certificate_that_is_read_again_on_sighup() {
    let place = Place::new();
    let ca = certificates(&place);
    let path = |name: &str| place.file(name).to_str().unwrap().to_owned();
    let (pem, key, ca_file) = (path("server.pem"), path("server.key"), path("ca.pem"));
    let tls = ["--tls_certificate", &pem, "--tls_key", &key, "--https_port", "0"];
    let server = Server::start(&place.data(), &tls);
    let second = server.banner.iter().find_map(|line| line.strip_prefix("  and on     "));
    let second = second.unwrap().replace("127.0.0.1", "localhost");
    assert!(second.starts_with("https://"), "{second}");
    assert_eq!(server.text("/ping"), "pong\n");
    let list = |url: &str, more: &[&str]| {
        chronode(&[&["job", "list", "--server", url], more].concat(), "", &[])
    };
    assert!(list(&second, &["--ca_file", &ca_file]).status.success());
    let untrusted = list(&second, &["--ca_file", &pem]);
    assert_eq!(untrusted.status.code(), Some(1), "{}", told(&untrusted));
    server.terminate();

    let server = Server::start(&place.data(), &[&tls[..], &["--disable_http"]].concat());
    let url = server.url.replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://"), "{url}");
    let client = client(Some(&place.file("ca.pem")));
    let ping = || client.get(format!("{url}/ping")).send().unwrap();
    assert!(ping().headers().contains_key("strict-transport-security"));
    // One that is no pair changes nothing; one that is holds.
    let kept = fs::read_to_string(&pem).unwrap();
    write(&place.file("server.pem"), "nothing", 0o644);
    server.signal(Signal::HUP);
    wait_for("the refusal", || {
        server.log().contains("the old certificate stays in use").then_some(())
    });
    assert_eq!(ping().status(), 200);
    renew(&place, &ca);
    assert_ne!(fs::read_to_string(&pem).unwrap(), kept);
    server.signal(Signal::HUP);
    wait_for("the new one", || {
        server.log().contains("certificate and key are read again").then_some(())
    });
    assert!(list(&url, &["--ca_file", &ca_file]).status.success());
}

#[test]
fn commands_run_as_the_users_that_are_listed_and_no_others() {
    if !rustix::process::geteuid().is_root() {
        panic!("this test runs commands as other users: run it as root");
    }
    let place = Place::new();
    let job = |name: &str, user: &str| json!({"name": name, "schedule": "R0//PT1H", "command": "id -un", "runAsUser": user, "owner": "", "retries": 0});
    let put =
        |server: &Server, job: &Value| server.request("POST", "/scheduler/iso8601", Some(job));
    let server = Server::start(&place.data(), &[]);
    assert_eq!(put(&server, &job("early", "root")).status, 204, "as in Chronos without a list");
    server.terminate();

    let server = Server::start(&place.data(), &["--run_as", "nobody,daemon"]);
    for user in ["root", ""] {
        let refused = put(&server, &job("late", user));
        assert_eq!(refused.status, 400, "{}", refused.body);
        let refused: Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(refused["field"], "runAsUser");
        assert_eq!(refused["remedy"], "give `runAsUser` as one of nobody, daemon");
    }
    assert_eq!(put(&server, &job("allowed", "nobody")).status, 204);
    for (name, verdict) in [("allowed", "succeeded"), ("early", "failed")] {
        assert_eq!(server.request("PUT", &format!("/scheduler/job/{name}"), None).status, 204);
        let run = server.ended_run(name);
        assert_eq!(run["verdict"], verdict, "{run}");
    }
    // It was stored before there was a list; nothing of it has started.
    let run = server.ended_run("early");
    let why = run["attempts"][0]["exit"]["couldNotStart"].as_str().unwrap();
    assert!(why.contains("may not run as `root`") && why.contains("--run_as"), "{why}");
    let path =
        format!("/scheduler/run/{}/stdout", server.ended_run("allowed")["id"].as_str().unwrap());
    assert_eq!(server.text(&path), "nobody\n");
}

#[test]
fn jobs_of_files_and_changes_are_recorded_and_read_through_the_api() {
    let place = Place::new();
    let jobs = place.file("jobs");
    fs::create_dir(&jobs).unwrap();
    fs::write(jobs.join("a.yaml"), "name: from-file\nschedule: '@daily'\ncommand: 'true'\n")
        .unwrap();
    let server = Server::start(&place.data(), &["--jobs", jobs.to_str().unwrap()]);
    let job = json!({"name": "a", "schedule": "R0//PT1H", "command": "true", "owner": ""});
    server.post(&job);
    server.post(&job);
    let delete = "/v1/scheduler/job/a?reason=nobody%20needs%20it";
    assert_eq!(server.request("DELETE", delete, None).status, 204);
    let read = server.get("/scheduler/audit?job=a");
    let told: Vec<_> = read["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["what"].as_str().unwrap().to_owned(), it["revision"].as_u64()))
        .collect();
    let expected = [("delete", None), ("put", Some(2)), ("put", Some(1))];
    assert_eq!(told, expected.map(|(what, revision)| (what.to_owned(), revision)));
    let of_file = server.get("/scheduler/audit?job=from-file")["records"][0].clone();
    assert_eq!((&of_file["door"], &of_file["what"]), (&json!("file"), &json!("put")));
    assert!(of_file["path"].as_str().unwrap().ends_with("a.yaml:1"), "{of_file}");
    let mode = fs::metadata(place.data().join("audit.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(server.get("/scheduler/info")["audit"]["state"], "recording");
    server.kill();
    // A crash in the middle of a line costs that line only.
    let log = place.data().join("audit.jsonl");
    let mut file = fs::OpenOptions::new().append(true).open(log).unwrap();
    file.write_all(b"{\"sequence\":99").unwrap();
    let server = Server::start(&place.data(), &[]);
    assert_eq!(server.get("/scheduler/audit?limit=1")["records"][0]["what"], "start");
    let deleted = server.get("/scheduler/audit?job=a&limit=1")["records"][0].clone();
    assert_eq!(
        (&deleted["what"], &deleted["reason"]),
        (&json!("delete"), &json!("nobody needs it"))
    );
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            Ok(_) | Err(_) => {}
        }
    }
    found
}

/// What is read, and rolled back, of a job with a secret, below a prefix; and the status that answers.
const SECRET_PATHS: &[(&str, &str, u16)] = &[
    ("GET", "/jobs", 200),
    ("GET", "/jobs/search?name=a", 200),
    ("GET", "/jobs/search?any=kanarien", 200),
    ("GET", "/jobs/summary", 200),
    ("GET", "/job/a", 200),
    ("GET", "/job/stat/a", 200),
    ("GET", "/graph/dot", 200),
    ("GET", "/graph/csv", 200),
    ("GET", "/runs", 200),
    ("GET", "/overview", 200),
    ("GET", "/timeline", 200),
    ("GET", "/agents", 200),
    ("GET", "/forecast", 200),
    ("GET", "/preview?job=a", 200),
    ("GET", "/round/a", 200),
    ("GET", "/explain/a", 200),
    ("GET", "/revisions/a", 200),
    ("GET", "/revision/a/1", 200),
    ("GET", "/revision/a/2", 200),
    ("GET", "/diff/a?from=1&to=2", 200),
    ("POST", "/rollback/a?to=1&dryRun=true", 200),
    ("POST", "/rollback/a?to=1", 204),
    ("GET", "/diff/a", 200),
    ("GET", "/info", 200),
    ("GET", "/audit", 200),
    ("GET", "/nowhere", 404),
    ("GET", "/job/b", 400),
];

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn a_secret_gets_nowhere_but_into_the_environment_of_its_job() {
    const CANARY: &str = "kanarienvogel-7f3a91";
    const LOGIN: &str = "ann:zaunkoenig-55d0c2";
    let place = Place::new();
    let credentials = place.file("credentials");
    let token = add(&credentials, "ci", "admin", &[]);
    let login = place.file("login");
    write(&login, LOGIN, 0o600);
    let at_login = format!("@{}", login.to_str().unwrap());
    let flags = [
        "--credentials",
        credentials.to_str().unwrap(),
        "--http_credentials",
        &at_login,
        "--log_level",
        "trace",
    ];
    let server = Server::start(&place.data(), &flags);
    let header = bearer(&token);
    let answers = std::cell::RefCell::new(String::new());
    let ask = |method: &str, path: &str, body: Option<&str>| -> u16 {
        let client = client(None);
        let url = format!("{}{path}", server.url);
        let mut request =
            client.request(method.parse().unwrap(), &url).header("Authorization", &header);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_owned());
        }
        let response = request.send().unwrap();
        let mut answers = answers.borrow_mut();
        answers.push_str(&format!("{method} {path}: {:?}\n", response.headers()));
        let status = response.status().as_u16();
        answers.push_str(&response.text().unwrap());
        answers.push('\n');
        status
    };
    let listen = |p: &str| {
        let url = format!("{}{p}/events", server.url);
        let stream = client(None).get(&url).header("Authorization", &header).send().unwrap();
        assert_eq!(stream.status(), 200);
        stream
    };
    let streams = ["/scheduler", "/v1/scheduler"].map(listen);
    let seen = place.file("seen");
    let variable = json!([{"name": "KEY", "value": CANARY, "secret": true}]);
    let job = json!({
        "name": "a", "schedule": "R0//PT1H", "owner": "", "retries": 0, "environmentVariables": variable,
        "command": format!("printf %s \"$KEY\" > {}; sleep 600", seen.display()),
    });
    let text = job.to_string();
    for (method, path) in [
        ("POST", "/scheduler/iso8601"),
        ("PUT", "/v1/scheduler/iso8601"),
        ("POST", "/scheduler/iso8601?dryRun=true"),
    ] {
        assert!(ask(method, path, Some(&text)) < 300, "{}", answers.borrow());
    }
    // Sent back as it was shown, it is kept.
    assert_eq!(ask("POST", "/scheduler/iso8601", Some(&text.replace(CANARY, "***"))), 204);
    assert_eq!(ask("PUT", "/scheduler/job/a", None), 204);
    wait_for("the job to have it", || {
        fs::read_to_string(&seen).ok().filter(|text| text == CANARY).map(drop)
    });
    let run = {
        let runs = send(
            &format!("{}/scheduler/runs?job=a", server.url),
            "GET",
            Some(("Authorization", &header)),
            None,
        );
        let runs: Value = serde_json::from_str(&runs.body).unwrap();
        runs["runs"][0]["id"].as_str().unwrap().to_owned()
    };
    // Bodies in which it stands where it should not, or that are no bodies at all.
    let wrong = [
        text.replace("\"secret\":true", "\"secret\":\"yes\""),
        text.replace("\"secret\":true", "\"secrte\":true,\"secret\":true"),
        text.replace("R0//PT1H", "R0//nonsense"),
        text.replace("\"retries\":0", "\"retries\":\"many\""),
        text.replace("\"name\":\"KEY\"", "\"name\":\"\""),
        text.replace("\"name\":\"KEY\"", &format!("\"name\":\"KEY={CANARY}\"")),
        text.replace("\"secret\":true", &format!("\"secret\":\"{CANARY}\"")),
        text.replace("\"name\":\"KEY\"", "\"name\":\"KEY\",\"name\":\"KEY\""),
        text.replace(
            &format!("\"value\":\"{CANARY}\""),
            &format!("\"value\":{{\"x\":\"{CANARY}\"}}"),
        ),
        text.replace("\"environmentVariables\"", "\"parents\":[],\"environmentVariables\""),
        format!("{{\"name\":\"a\",\"environmentVariables\":\"{CANARY}\"}}"),
        format!("{{\"environmentVariables\":[{{\"name\":\"KEY\",\"value\":\"{CANARY}\""),
        format!("[\"{CANARY}\"]"),
    ];
    for p in ["/scheduler", "/v1/scheduler"] {
        for (path, body) in ["iso8601", "cron", "dependency", "preview"]
            .iter()
            .flat_map(|path| wrong.iter().map(move |b| (path, b)))
        {
            ask("POST", &format!("{p}/{path}"), Some(body));
        }
        for (method, path, expected) in SECRET_PATHS {
            assert_eq!(ask(method, &format!("{p}{path}"), None), *expected, "{method} {p}{path}");
        }
        let good = format!("{{\"jobs\":[{text}]}}");
        assert_eq!(ask("POST", &format!("{p}/apply?dryRun=true"), Some(&good)), 200);
        assert_eq!(ask("POST", &format!("{p}/apply"), Some(&good)), 200);
        for wrong in &wrong {
            for query in ["", "?dryRun=true"] {
                let body = format!("{{\"jobs\":[{text},{wrong}]}}");
                assert_eq!(ask("POST", &format!("{p}/apply{query}"), Some(&body)), 400, "{wrong}");
            }
        }
        for path in [
            format!("/run/{run}"),
            format!("/run/{run}/stdout"),
            format!("/run/{run}/stderr"),
            format!("/run/{run}/explain"),
            format!("/chain/{run}"),
        ] {
            ask("GET", &format!("{p}{path}"), None);
        }
        ask("PATCH", &format!("{p}/job/a"), None);
        ask("PUT", &format!("{p}/job/b"), None);
        ask("DELETE", &format!("{p}/task/kill/b"), None);
    }
    let with_login = server.url.replace("http://", &format!("http://{LOGIN}@"));
    for path in ["/metrics", "/metrics?format=json", "/metrics?format=prometheus"] {
        assert_eq!(ask("GET", path, None), 200, "{path}");
    }
    // The streams, up to a job that is stored after all that was done.
    let marker = text.replace("\"name\":\"a\"", "\"name\":\"marker\"");
    assert_eq!(ask("POST", "/scheduler/iso8601", Some(&marker)), 204);
    for mut stream in streams {
        let (mut told, mut part) = (Vec::new(), [0; 4_096]);
        while !contains(&told, "marker") {
            let count = stream.read(&mut part).unwrap();
            assert_ne!(count, 0, "the stream ended: {}", String::from_utf8_lossy(&told));
            told.extend_from_slice(&part[..count]);
        }
        assert!(contains(&told, &run), "{}", String::from_utf8_lossy(&told));
        answers.borrow_mut().push_str(&String::from_utf8_lossy(&told));
    }
    let export = place.file("export");
    let commands: [&[&str]; 9] = [
        &["job", "show", "a"],
        &["job", "list", "--json"],
        &["run", "list", "--json"],
        &["job", "history", "a"],
        &["job", "history", "a", "--json"],
        &["job", "diff", "a"],
        &["job", "diff", "a", "--json"],
        &["export", "chronos"],
        &["export", "chronos", "--out", export.to_str().unwrap()],
    ];
    for words in commands {
        let output = chronode(&[words, &["--server", &with_login]].concat(), "", &[]);
        assert!(output.status.success(), "{words:?}: {}", told(&output));
        answers
            .borrow_mut()
            .push_str(&format!("{output:?} {}", String::from_utf8_lossy(&output.stdout)));
    }
    for file in files(&export) {
        answers.borrow_mut().push_str(&fs::read_to_string(file).unwrap());
    }
    let audit = fs::read_to_string(place.data().join("audit.jsonl")).unwrap();
    assert!(audit.contains("\"apply\""), "{audit}");
    answers.borrow_mut().push_str(&audit);
    let banner = server.banner.join("\n");
    let log = server.log();
    for secret in [CANARY, "zaunkoenig-55d0c2", &token] {
        let answers = answers.borrow();
        let telling: Vec<&str> = answers.lines().filter(|line| line.contains(secret)).collect();
        assert!(telling.is_empty(), "an answer tells it: {telling:#?}");
        assert!(!log.contains(secret), "the log tells it");
        assert!(!banner.contains(secret), "the banner tells it");
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let told = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            assert!(!contains(&told, secret), "{:?} has it in its command line", entry.path());
        }
    }
    // Only the job has it in its environment: its shell, and the `sleep` that the shell has started.
    let command = |environ: &Path| fs::read(environ.with_file_name("cmdline")).unwrap_or_default();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let environ = entry.path().join("environ");
        if contains(&fs::read(&environ).unwrap_or_default(), CANARY) {
            let command = String::from_utf8_lossy(&command(&environ)).into_owned();
            assert!(
                command.contains("sleep\u{0}600") || command.contains("sleep 600"),
                "{command}"
            );
        }
    }
    // The scheduler and its keeper do not.
    for pid in [server.pid(), place.keeper().unwrap()] {
        let path = format!("/proc/{}/environ", pid.as_raw_nonzero());
        assert!(!contains(&fs::read(path).unwrap(), CANARY));
    }
    assert_eq!(ask("DELETE", "/scheduler/job/a", None), 204);
    server.terminate();
    let mut has_it = Vec::new();
    for file in files(&place.data()) {
        let bytes = fs::read(&file).unwrap();
        for secret in [CANARY, "zaunkoenig-55d0c2", &token] {
            if contains(&bytes, secret) {
                has_it.push(file.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o022, 0, "{} can be changed by others", file.display());
    }
    // Where it must be, so that a restart can run the job: in the database, which nobody else may read.
    has_it.retain(|name| !name.starts_with("chronode.db"));
    assert_eq!(has_it, [""; 0]);
    for name in ["chronode.db", "audit.jsonl", "keeper.journal"] {
        let mode = fs::metadata(place.data().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
