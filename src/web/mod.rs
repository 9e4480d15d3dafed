//! The web page: the files of the folder `web/` as a browser gets them, from the program or from a folder.
//!
//! ```text
//!   /                     index.html, asked for anew each time: `./assets/` in it becomes `./assets/VERSION/`
//!   /assets/VERSION/PATH  any other file, kept by browsers for a year; VERSION is a hash of all files
//! ```
//!
//! So a browser asks for one small file to find out whether it has all of them, and files of two versions never meet.
//! The page's addresses are relative, so that it works below any path of a proxy.
//!
//! Knows neither jobs nor who asks. Which paths lead here, and errors, are the API's.

mod encoding;
mod file;
mod folder;
mod lean;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use rust_embed::Embed;

use file::{File, Keep, Kind};
use folder::Folder;

/// Where the page is.
const INDEX: &str = "index.html";
/// How `index.html` names the folder that it lies in.
const PLACE: &str = "./assets/";
/// The version of files that may change at any time.
const CHANGING: &str = "dev";
/// Digits of a version: as many as nobody makes meet by chance.
const VERSION_DIGITS: usize = 16;

/// What the page may do: use what comes from this server, and nothing else. No style and no script stands in the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What others wrote is served as they wrote it, with what they say of it.
const OF_OTHERS: &str = "vendor/";
const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// What every answer from here carries, beside what all answers of the server do.
const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (COOP, "same-origin"),
    (
        PERMISSIONS,
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()",
    ),
];

/// The files that are in the program: those that a browser can use. [`Kind`] names the same endings.
#[derive(Embed)]
#[folder = "web/"]
#[include = "*.css"]
#[include = "*.html"]
#[include = "*.js"]
#[include = "*.mjs"]
#[include = "*.png"]
#[include = "*.svg"]
#[include = "*.txt"]
#[include = "*.woff2"]
#[exclude = ".*"]
#[exclude = "*/.*"]
struct BuiltIn;

/// A file as it is in the program: a script of ours without its comments, any other as it is. `path` is that in the folder.
#[must_use]
pub fn as_built_in(path: &str, file: Bytes) -> Bytes {
    if Kind::of(path) != Some(Kind::JavaScript) || path.starts_with(OF_OTHERS) {
        return file;
    }
    let script = std::str::from_utf8(&file).ok().and_then(lean::without_comments);
    script.map_or(file, Bytes::from)
}

/// The page and all that belongs to it.
#[derive(Debug)]
pub struct Site(Source);

#[derive(Debug)]
enum Source {
    Fixed { version: String, index: Option<File>, assets: BTreeMap<String, File> },
    Folder(Folder),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// There is no such file.
    File,
    /// The version is another: the page that asks is one of before or after this program.
    Version,
}

impl Site {
    /// The files that are in the program.
    #[must_use]
    pub fn built_in() -> Self {
        Self::of(BuiltIn::iter().filter_map(|path| {
            let bytes = match BuiltIn::get(&path)?.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            let bytes = as_built_in(&path, bytes);
            Some((path.into_owned(), bytes))
        }))
    }

    /// The files of `folder` as they are whenever they are asked for: for whoever changes them.
    ///
    /// # Errors
    ///
    /// It is no folder, or has no `index.html`.
    pub fn of_folder(folder: &Path) -> io::Result<Self> {
        Folder::open(folder).map(|folder| Self(Source::Folder(folder)))
    }

    /// These files, by their paths in the folder. One with an ending that browsers have no use for is none.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        let mut files: BTreeMap<String, Bytes> = files.into_iter().collect();
        files.retain(|path, _| Kind::of(path).is_some());
        let version = version(&files);
        let index = files.remove(INDEX).map(|text| File::new(Kind::Html, placed(&text, &version)));
        let files = files.into_iter();
        let assets = files.filter_map(|(path, bytes)| Some((Kind::of(&path)?, path, bytes)));
        let assets = assets.map(|(kind, path, bytes)| (path, File::new(kind, bytes))).collect();
        Self(Source::Fixed { version, index, assets })
    }

    /// Names what all files together are; another file, another version.
    #[must_use]
    pub fn version(&self) -> &str {
        match &self.0 {
            Source::Fixed { version, .. } => version,
            Source::Folder(_) => CHANGING,
        }
    }

    /// Answers with the page, to somebody who sent these headers.
    ///
    /// # Errors
    ///
    /// [`Absent::File`] where a folder has lost it.
    pub async fn page(&self, headers: &HeaderMap) -> Result<Response, Absent> {
        let answer = match &self.0 {
            Source::Fixed { index, .. } => {
                index.as_ref().map(|file| file.answer(headers, Keep::AskAgain))
            }
            Source::Folder(folder) => folder.read(INDEX).await.map(|text| {
                File::new(Kind::Html, placed(&text, CHANGING)).answer(headers, Keep::AskAgain)
            }),
        };
        answer.map(guarded).ok_or(Absent::File)
    }

    /// Answers with the file at `path`, which belongs to the page of that version.
    ///
    /// # Errors
    ///
    /// [`Absent`]
    pub async fn asset(
        &self,
        version: &str,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Absent> {
        if version != self.version() {
            return Err(Absent::Version);
        }
        let answer = match &self.0 {
            Source::Fixed { assets, .. } => {
                assets.get(path).map(|file| file.answer(headers, Keep::ForEver))
            }
            Source::Folder(folder) => match Kind::of(path).filter(|_| path != INDEX) {
                Some(kind) => folder
                    .read(path)
                    .await
                    .map(|bytes| File::new(kind, bytes).answer(headers, Keep::AskAgain)),
                None => None,
            },
        };
        answer.map(guarded).ok_or(Absent::File)
    }
}

/// The page with its files below a version.
fn placed(text: &Bytes, version: &str) -> Bytes {
    let text = String::from_utf8_lossy(text);
    text.replace(PLACE, &format!("{PLACE}{version}/")).into()
}

/// A hash of paths and contents, so that a file that is only renamed makes another version, too.
fn version(files: &BTreeMap<String, Bytes>) -> String {
    let mut context = Context::new(&SHA256);
    for (path, bytes) in files {
        for part in [path.as_bytes(), bytes] {
            context.update(&part.len().to_le_bytes());
            context.update(part);
        }
    }
    let mut digits = file::hexadecimal(context.finish().as_ref());
    digits.truncate(VERSION_DIGITS);
    digits
}

fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn site(files: &[(&str, &'static str)]) -> Site {
        Site::of(files.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from(*text))))
    }

    fn files(folder: PathBuf) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(path) } else { vec![path] }).collect()
    }

    #[test]
    fn the_program_has_every_file_that_a_browser_can_use_and_no_other() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let mut expected: Vec<String> = files(folder.clone())
            .iter()
            .map(|path| path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned())
            .filter(|path| {
                Kind::of(path).is_some() && !path.split('/').any(|it| it.starts_with('.'))
            })
            .collect();
        expected.sort();
        let mut found: Vec<String> = BuiltIn::iter().map(Cow::into_owned).collect();
        found.sort();
        assert_eq!(found, expected);
        assert!(found.iter().any(|path| path == INDEX));
    }

    #[test]
    fn every_change_of_a_file_makes_another_version() {
        let versions = [
            site(&[("index.html", "a"), ("a.js", "1")]),
            site(&[("index.html", "b"), ("a.js", "1")]),
            site(&[("index.html", "a"), ("a.js", "2")]),
            site(&[("index.html", "a"), ("b.js", "1")]),
            site(&[("index.html", "a")]),
            site(&[("index.html", "aa.js1")]),
        ]
        .map(|site| site.version().to_owned());
        for (index, version) in versions.iter().enumerate() {
            assert!(version.len() == 16 && version.chars().all(|c| c.is_ascii_hexdigit()));
            assert!(!versions[..index].contains(version), "{versions:?}");
        }
        let again =
            site(&[("a.js", "1"), ("README.md", "no file of the page"), ("index.html", "a")]);
        assert_eq!(again.version(), versions[0]);
    }

    #[tokio::test]
    async fn files_of_another_version_or_of_no_name_are_absent() {
        let site = site(&[("index.html", "a"), ("a/b.js", "1"), ("README.md", "")]);
        let version = site.version().to_owned();
        let headers = HeaderMap::new();
        assert!(site.asset(&version, "a/b.js", &headers).await.is_ok());
        let other = site.asset("0123456789abcdef", "a/b.js", &headers).await;
        assert_eq!(other.err(), Some(Absent::Version));
        for path in ["", "a", "a/", "a/c.js", "/a/b.js", "../a/b.js", "index.html", "README.md"] {
            let found = site.asset(&version, path, &headers).await;
            assert_eq!(found.err(), Some(Absent::File), "{path}");
        }
        assert_eq!(Site::of([]).page(&headers).await.err(), Some(Absent::File));
    }
}
