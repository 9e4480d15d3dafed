//! The web page as the binary serves it, and what holds for every file of the folder `web/`.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use common::{PATIENCE, Place, Server};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use regex::Regex;
use reqwest::blocking::Client;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// Endings of files that are served.
const SERVED: [&str; 8] = ["css", "html", "js", "mjs", "png", "svg", "txt", "woff2"];
/// Bytes that all files which a browser may need have together, compressed: what a slow line brings in two seconds.
const PACKED_MAX: usize = 300_000;
/// The same for the few who take nothing shorter.
const GZIP_MAX: usize = 320_000;

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web")
}

/// Every file below a folder, by its path in there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn as_built_in(path: &str, bytes: &[u8]) -> Vec<u8> {
    chronode::web::as_built_in(path, bytes.to_vec().into()).to_vec()
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn judge(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// An answer, byte for byte.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        // Already installed is fine: it is the same for the whole process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder().timeout(PATIENCE).build().unwrap()
    });
    let request = client.request(method.parse().unwrap(), format!("{}{path}", server.url));
    let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
    let response = request.send().unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().unwrap().to_vec() }
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut found).unwrap();
    found
}

fn unpacked_brotli(mut bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    brotli::BrotliDecompress(&mut bytes, &mut unpacked).unwrap();
    unpacked
}

fn packed_brotli(mut bytes: &[u8]) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams { quality: 10, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut packed, &params).unwrap();
    packed
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The version in a page.
fn version(page: &str) -> String {
    let (_, rest) = page.split_once("\"./assets/").unwrap();
    rest.split('/').next().unwrap().to_owned()
}

#[test]
fn the_binary_serves_the_page_that_it_was_built_with() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let page = ask(&server, "GET", "/", &[]);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");

    // It is the file, and its other files are below the version.
    let version = version(page.text());
    assert!(version.len() == 16 && version.chars().all(|c| c.is_ascii_hexdigit()), "{version}");
    let all = files(&web());
    let below = format!("./assets/{version}/");
    assert_eq!(page.text().replace(&below, "./assets/").as_bytes(), all["index.html"]);

    // Who has it is told so; packed, it is the same.
    for headers in [vec![], vec![("accept-encoding", "br, gzip")]] {
        let first = ask(&server, "GET", "/", &headers);
        let known = [headers.clone(), vec![("if-none-match", first.header("etag"))]].concat();
        let again = ask(&server, "GET", "/", &known);
        assert_eq!((again.status, again.body.as_slice()), (304, b"".as_slice()));
        if first.header("content-encoding") == "br" {
            assert_eq!(unpacked_brotli(&first.body), page.body);
        }
        let head = ask(&server, "HEAD", "/", &headers);
        assert_eq!((head.status, head.header("etag")), (200, first.header("etag")));
        assert_eq!(head.header("content-length"), first.body.len().to_string());
    }

    // Every file that is served is the one in the folder, whichever way it comes; of scripts, what they do.
    let mut served = 0;
    for (path, bytes) in all.iter().filter(|(path, _)| *path != "index.html") {
        let address = format!("/assets/{version}/{path}");
        let plain = ask(&server, "GET", &address, &[("accept-encoding", "gzip;q=0, br;q=0, *")]);
        if !SERVED.contains(&ending(path)) {
            assert_eq!(plain.status, 404, "{path}");
            continue;
        }
        served += 1;
        let bytes = &as_built_in(path, bytes);
        assert_eq!((plain.status, &plain.body), (200, bytes), "{path}");
        assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(plain.header("x-content-type-options"), "nosniff");
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        let gzip = ask(&server, "GET", &address, &[("accept-encoding", "gzip")]);
        match gzip.header("content-encoding") {
            "gzip" => {
                assert_eq!(gzip.header("vary"), "accept-encoding", "{path}");
                assert!(gzip.body.len() < bytes.len(), "{path}");
                assert_eq!(&unpacked(&gzip.body), bytes, "{path}");
            }
            _ => assert_eq!(&gzip.body, bytes, "{path}"),
        }
    }
    assert!(served >= 1);
    // What the page names is there.
    let named = Regex::new("\"(\\./[^\"]+)\"").unwrap();
    for found in named.captures_iter(page.text()) {
        assert_eq!(ask(&server, "GET", &found[1][1..], &[]).status, 200, "{}", &found[1]);
    }
    // A page of before an upgrade finds out.
    let other = ask(&server, "GET", "/assets/0000000000000000/main.js", &[]);
    assert_eq!((other.status, other.header("cache-control")), (404, "no-store"));
    assert!(other.text().contains("\"code\":\"other_version\""), "{}", other.text());
}

#[test]
fn a_long_chain_is_drawn_and_the_log_says_nothing_of_it() {
    const LENGTH: usize = 300;
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let job = |step: usize| match step {
        0 => json!({"name": "step-0", "command": "true", "schedule": "R/2090-01-01T00:00:00Z/P1D"}),
        step => {
            json!({"name": format!("step-{step}"), "command": "true", "parents": [format!("step-{}", step - 1)]})
        }
    };
    let jobs: Vec<_> = (0..LENGTH).map(job).collect();
    let answer = server.request("POST", "/v1/scheduler/apply", Some(&json!({"jobs": jobs})));
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Nothing follows the last one.
    let last = format!("step-{}", LENGTH - 1);
    let run = server.request("POST", "/v1/scheduler/runs", Some(&json!({"job": last})));
    let run: Value = serde_json::from_str(&run.body).unwrap();
    let drawn = server.get("/v1/scheduler/layout");
    let nodes = drawn["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), drawn["edges"].as_array().unwrap().len()), (LENGTH, LENGTH - 1));
    for node in nodes {
        let expected = if node["job"] == last.as_str() { &run["run"] } else { &Value::Null };
        assert_eq!(&node["lastRun"], expected, "{node}");
        let is_first = node["job"] == "step-0";
        let due = if is_first { json!("2090-01-01T00:00:00.000Z") } else { Value::Null };
        assert_eq!(node["nextDue"], due, "{node}");
    }
    // It has much to say about each picture.
    let log = server.log();
    let strange = log.lines().find(|line| !line.contains("answered") && line.contains("anking"));
    assert_eq!(strange, None);
}

#[test]
fn a_folder_is_served_as_it_is_at_the_moment() {
    let place = Place::new();
    let folder = place.file("page");
    fs::create_dir_all(folder.join("lib")).unwrap();
    fs::write(folder.join("index.html"), "<script src=\"./assets/lib/a.js\"></script>").unwrap();
    fs::write(folder.join("lib/a.js"), "1").unwrap();
    fs::write(place.file("secret.js"), "secret").unwrap();
    symlink(place.file("secret.js"), folder.join("secret.js")).unwrap();
    let server = Server::start(&place.data(), &["--web-dir", folder.to_str().unwrap()]);
    let page = ask(&server, "GET", "/", &[]);
    assert_eq!(page.text(), "<script src=\"./assets/dev/lib/a.js\"></script>");
    for text in ["2", "3"] {
        fs::write(folder.join("lib/a.js"), text).unwrap();
        let answer = ask(&server, "GET", "/assets/dev/lib/a.js", &[]);
        assert_eq!((answer.text(), answer.header("cache-control")), (text, "no-cache"));
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        let again = [("if-none-match", answer.header("etag"))];
        assert_eq!(ask(&server, "GET", "/assets/dev/lib/a.js", &again).status, 304);
    }
    for path in ["secret.js", "..%2fsecret.js", "lib", "lib/..%2f..%2fsecret.js", "nowhere.js"] {
        let answer = ask(&server, "GET", &format!("/assets/dev/{path}"), &[]);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    fs::remove_file(folder.join("index.html")).unwrap();
    assert_eq!(ask(&server, "GET", "/", &[]).status, 404);
}

#[test]
fn a_folder_that_is_no_page_is_refused_at_the_start() {
    let place = Place::new();
    fs::create_dir(place.file("page")).unwrap();
    for (folder, expected) in [
        (place.file("page"), "there is no `index.html` in it"),
        (place.file("nowhere"), "No such file or directory"),
    ] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_chronode"));
        let output = check.args(["config", "check", "--web_dir"]).arg(&folder).output().unwrap();
        assert!(!output.status.success());
        let told = String::from_utf8(output.stderr).unwrap();
        let sentence = format!("--web_dir `{}`: {expected}", folder.display());
        assert!(told.contains(&sentence), "{told}");
        assert!(told.contains("give a directory with the page's `index.html`"), "{told}");
    }
}

/// A row of the table of what others wrote.
struct Vendored {
    file: String,
    sha256: String,
    is_complete: bool,
}

/// The rows `| file | version | licence | source | sha256 |`.
fn vendored(table: &str) -> Vec<Vendored> {
    let rows = table.lines().filter_map(|line| {
        let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        let cells: Vec<&str> = cells.split('|').map(|it| it.trim().trim_matches('`')).collect();
        let is_frame = cells[0] == "file" || cells[0].starts_with('-') || cells[0].starts_with(':');
        (!is_frame).then_some(cells)
    });
    let read = |cells: Vec<&str>| Vendored {
        file: cells[0].to_owned(),
        sha256: cells.last().map_or("", |cell| *cell).to_owned(),
        is_complete: cells.len() == 5 && cells.iter().all(|cell| !cell.is_empty()),
    };
    rows.map(read).collect()
}

/// What is wrong with a table of these files.
fn wrong(table: &str, files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let rows = vendored(table);
    let mut violations = Vec::new();
    let mut named = BTreeSet::new();
    for row in &rows {
        let file = &row.file;
        if !row.is_complete {
            violations.push(format!("{file}: a row has file, version, licence, source and sha256"));
        }
        if !named.insert(file) {
            violations.push(format!("{file}: there are two rows of it"));
        }
        match files.get(file) {
            None => violations.push(format!("{file}: there is no such file")),
            Some(bytes) if hexadecimal(digest(&SHA256, bytes).as_ref()) != row.sha256 => {
                violations.push(format!("{file}: it is not the file of the table"));
            }
            Some(_) => {}
        }
    }
    // Types are ours: they say what we use of a library, and reach no browser.
    let others = |file: &&String| *file != "README.md" && !file.ends_with(".d.ts");
    for (file, bytes) in files.iter().filter(|(file, _)| others(file)) {
        if !named.contains(file) {
            let hash = hexadecimal(digest(&SHA256, bytes).as_ref());
            violations.push(format!("add | {file} | VERSION | LICENCE | SOURCE | {hash} |"));
        }
    }
    violations
}

#[test]
fn every_file_that_others_wrote_is_the_one_in_the_table() {
    let vendor = web().join("vendor");
    let table = fs::read_to_string(vendor.join("README.md")).unwrap_or_default();
    let violations = wrong(&table, &files(&vendor));
    judge(&violations.iter().map(|it| format!("web/vendor/README.md: {it}")).collect::<Vec<_>>());
}

#[test]
fn a_table_that_is_wrong_is_noticed() {
    let files: BTreeMap<String, Vec<u8>> =
        [("a.js", "1"), ("README.md", "")].map(|(file, text)| (file.into(), text.into())).into();
    let hash = hexadecimal(digest(&SHA256, b"1").as_ref());
    let head = "| file | version | licence | source | sha256 |\n|---|---|---|---|---|\n";
    let row = format!("{head}| `a.js` | 1.0 | MIT | a.example | `{hash}` |\n");
    assert_eq!(wrong(&row, &files), [""; 0]);
    for (table, expected) in [
        (head.to_owned(), "add | a.js |"),
        (row.replace(&hash, "0"), "a.js: it is not the file"),
        (row.replace("MIT", ""), "a.js: a row has"),
        (row.replace("| MIT ", ""), "a.js: a row has"),
        (format!("{row}| b.js | 1.0 | MIT | b.example | 0 |"), "b.js: there is no such file"),
        (format!("{row}| a.js | 1.0 | MIT | a.example | {hash} |"), "a.js: there are two rows"),
    ] {
        let found = wrong(&table, &files);
        assert!(found.iter().any(|it| it.starts_with(expected)), "{expected}: {found:?}");
    }
}

/// What our own files must not have in them, and why. Each with an example, so that a rule that finds nothing is noticed.
const NEVER: [(&str, &str, &str, &str); 9] = [
    (
        "css html js mjs svg",
        r"(?i)\b(https?|wss?)://[a-z0-9]",
        "fetch(\"https://cdn.invalid/a.js\")",
        "nothing is fetched from elsewhere, and no address of another server is needed",
    ),
    (
        "js mjs html",
        r"\b(inner|outer)HTML\b|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|\bsrcdoc\b|\.setHTMLUnsafe|createContextualFragment",
        "element.innerHTML = text",
        "text from jobs must never become markup",
    ),
    (
        "js mjs html",
        r"\beval\s*\(|\bnew\s+Function\b|setTimeout\s*\(\s*[`'\x22]",
        "new Function(text)",
        "no text becomes code",
    ),
    (
        "html svg js mjs",
        r#"\son(abort|animation\w*|before\w+|blur|change|click|copy|cut|dblclick|drag\w*|drop|error|focus\w*|input|key\w+|load\w*|message|mouse\w+|paste|pointer\w+|reset|scroll|select|submit|toggle|touch\w+|transition\w*|wheel)\s*=\s*["'`]"#,
        " onclick=\"run()\"",
        "the policy refuses it",
    ),
    ("html svg", r"\son[a-z]+\s*=", " onload = x", "the policy refuses it"),
    (
        "html",
        r"(?i)<script(?:\s[^>]*)?>\s*[^<\s]",
        "<script>run()</script>",
        "the policy refuses it",
    ),
    ("html svg", r"(?i)<style|\sstyle\s*=", "<p style=\"color: red\">", "the policy refuses it"),
    ("css html js mjs svg", r"(?i)javascript:", "href=\"javascript:x\"", "no address is code"),
    ("js mjs html", r"document\.cookie", "document.cookie", "cookies are never used"),
];

/// Addresses that are fetched by nobody: names of vocabularies, and examples.
const NAMES: &str = r"(?i)\bhttps?://(www\.w3\.org/|127\.0\.0\.1|localhost|([a-z0-9-]+\.)*example(\.(org|com|net))?\b)";

#[test]
fn our_own_files_fetch_nothing_from_elsewhere_and_make_no_text_code() {
    let names = Regex::new(NAMES).unwrap();
    let rules = NEVER.map(|(endings, pattern, example, why)| {
        let rule = Regex::new(pattern).unwrap();
        assert!(rule.is_match(&names.replace_all(example, "")), "{pattern} finds nothing");
        (endings, rule, why)
    });
    let mut violations = Vec::new();
    let own = files(&web()).into_iter().filter(|(path, _)| !path.starts_with("vendor/"));
    for (path, bytes) in own {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for (endings, rule, why) in &rules {
            if !endings.split(' ').any(|it| it == ending(&path)) {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                if let Some(found) = rule.find(&names.replace_all(line, "")) {
                    let found = found.as_str().trim();
                    violations.push(format!("web/{path}:{}: `{found}`: {why}", index + 1));
                }
            }
        }
    }
    judge(&violations);
}

/// All files together, as `pack` packs them. Licences are for people.
fn sum(pack: fn(&[u8]) -> Vec<u8>) -> usize {
    let all = files(&web()).into_iter();
    let sent = all.filter(|(path, _)| SERVED.contains(&ending(path)) && ending(path) != "txt");
    let sent = sent.map(|(path, bytes)| as_built_in(&path, &bytes));
    sent.map(|bytes| pack(&bytes).len().min(bytes.len())).sum()
}

#[test]
fn the_page_is_small() {
    let (brotli, gzip) = (sum(packed_brotli), sum(packed));
    assert!(brotli > 0 && brotli < PACKED_MAX, "{brotli} bytes, at most {PACKED_MAX}");
    assert!(gzip > brotli && gzip < GZIP_MAX, "{gzip} bytes, at most {GZIP_MAX}");
}

#[test]
fn every_script_of_ours_is_sent_without_comments() {
    let all = files(&web()).into_iter().filter(|(path, _)| ending(path) == "js");
    let (others, ours): (Vec<_>, Vec<_>) = all.partition(|(path, _)| path.starts_with("vendor/"));
    assert!(others.iter().all(|(path, bytes)| as_built_in(path, bytes) == *bytes));
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    for (path, bytes) in ours {
        let sent = as_built_in(&path, &bytes);
        // Each begins by saying what it is.
        assert!(sent.len() < bytes.len(), "{path}: make clear whether its slashes divide");
        assert_eq!(lines(&sent), lines(&bytes), "{path}");
    }
}
