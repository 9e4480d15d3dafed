//! One file as it is answered: its type, its tag, and its three forms.

use std::io::{self, Write as _};
use std::sync::OnceLock;

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest};

use super::encoding::Coding;

/// What a browser makes of a file, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Css,
    Html,
    JavaScript,
    Png,
    Svg,
    Text,
    Woff2,
}

/// How long a browser may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// As long as it likes: what has another content has another address.
    ForEver,
    /// As long as it likes, but it must ask each time whether it is still the same.
    AskAgain,
}

/// One file.
#[derive(Debug)]
pub(super) struct File {
    kind: Kind,
    plain: Bytes,
    /// Made when somebody wants it first, which takes some milliseconds; `None` where it would not be shorter.
    brotli: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
    /// A hash of the content.
    hash: String,
}

impl Kind {
    /// Of a path; `None` of what browsers have no use for.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let (stem, ending) = name.rsplit_once('.')?;
        let kind = match ending {
            "css" => Self::Css,
            "html" => Self::Html,
            "js" | "mjs" => Self::JavaScript,
            "png" => Self::Png,
            "svg" => Self::Svg,
            // The licences of what others wrote: they must come with it.
            "txt" => Self::Text,
            "woff2" => Self::Woff2,
            _ => return None,
        };
        (!stem.is_empty()).then_some(kind)
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Css => "text/css; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::JavaScript => "text/javascript; charset=utf-8",
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Woff2 => "font/woff2",
        }
    }

    /// Whether it is text, and so gets much shorter.
    const fn packs(self) -> bool {
        match self {
            Self::Css | Self::Html | Self::JavaScript | Self::Svg | Self::Text => true,
            Self::Png | Self::Woff2 => false,
        }
    }
}

impl Keep {
    const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::ForEver => "public, max-age=31536000, immutable",
            Self::AskAgain => "no-cache",
        })
    }
}

impl File {
    pub(super) fn new(kind: Kind, plain: Bytes) -> Self {
        let hash = hexadecimal(&digest(&SHA256, &plain).as_ref()[..16]);
        Self { kind, plain, brotli: OnceLock::new(), gzip: OnceLock::new(), hash }
    }

    /// Answers with it in the form that somebody with these headers takes, or with 304 where they have it.
    pub(super) fn answer(&self, headers: &HeaderMap, keep: Keep) -> Response {
        let coding = Coding::taken_by(headers);
        let packed = coding.and_then(|coding| Some((coding, self.packed(coding)?)));
        // A strong tag names bytes, so each form has its own.
        let form = packed.map_or_else(String::new, |(coding, _)| format!("-{}", coding.word()));
        let tag = format!("\"{}{form}\"", self.hash);
        let mut response = if is_known(headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let body = packed.map_or(&self.plain, |(_, bytes)| bytes).clone();
            let mut response = Response::new(Body::from(body));
            let kind = HeaderValue::from_static(self.kind.content_type());
            response.headers_mut().insert(CONTENT_TYPE, kind);
            if let Some((coding, _)) = packed {
                let word = HeaderValue::from_static(coding.word());
                response.headers_mut().insert(CONTENT_ENCODING, word);
            }
            response
        };
        let to = response.headers_mut();
        to.insert(CACHE_CONTROL, keep.header());
        to.insert(ETAG, HeaderValue::try_from(tag).expect("digits, a word and quotes"));
        if self.kind.packs() {
            to.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }

    fn packed(&self, coding: Coding) -> Option<&Bytes> {
        let made = match coding {
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
        };
        let pack = || {
            let packed = match coding {
                Coding::Brotli => brotli_of(&self.plain),
                Coding::Gzip => gzip_of(&self.plain),
            };
            packed.ok().filter(|packed| packed.len() < self.plain.len()).map(Bytes::from)
        };
        made.get_or_init(|| if self.kind.packs() { pack() } else { None }).as_ref()
    }
}

fn gzip_of(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn brotli_of(mut plain: &[u8]) -> io::Result<Vec<u8>> {
    // One below the best takes half as long for the same length within a few parts of a hundred.
    let params = BrotliEncoderParams { quality: 10, ..BrotliEncoderParams::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut plain, &mut packed, &params)?;
    Ok(packed)
}

/// Whether somebody has what this tag names. For that a weak tag is as good as a strong one.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::http::header::ACCEPT_ENCODING;
    use flate2::read::GzDecoder;
    use http_body_util::BodyExt as _;

    use super::*;

    const LONG: &str =
        "let a = 1; let a = 1; let a = 1; let a = 1; let a = 1; let a = 1; let a = 1;";

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = all
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        pairs.collect()
    }

    fn told<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    async fn body(response: Response) -> Bytes {
        response.into_body().collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn a_text_comes_packed_to_whom_takes_that_and_unpacks_to_the_same() {
        let file = File::new(Kind::JavaScript, LONG.into());
        let plain = file.answer(&headers(&[]), Keep::ForEver);
        assert_eq!(told(&plain, "content-encoding"), None);
        assert_eq!(told(&plain, "content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(told(&plain, "cache-control"), Some("public, max-age=31536000, immutable"));
        let packed = file.answer(&headers(&[(ACCEPT_ENCODING.as_str(), "gzip")]), Keep::AskAgain);
        assert_eq!(told(&packed, "content-encoding"), Some("gzip"));
        assert_eq!(told(&packed, "cache-control"), Some("no-cache"));
        assert_ne!(told(&plain, "etag"), told(&packed, "etag"));
        for response in [&plain, &packed] {
            assert_eq!(told(response, "vary"), Some("accept-encoding"));
        }
        assert_eq!(body(plain).await, LONG);
        let packed = body(packed).await;
        assert!(packed.len() < LONG.len());
        let mut unpacked = String::new();
        GzDecoder::new(&*packed).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, LONG);
        let shorter = headers(&[(ACCEPT_ENCODING.as_str(), "gzip, br")]);
        let shorter = file.answer(&shorter, Keep::AskAgain);
        assert_eq!(told(&shorter, "content-encoding"), Some("br"));
        let shorter = body(shorter).await;
        assert!(shorter.len() < packed.len());
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &*shorter, &mut unpacked).unwrap();
        assert_eq!(unpacked, LONG.as_bytes());
    }

    #[test]
    fn what_gets_no_shorter_is_not_packed() {
        let gzip = headers(&[(ACCEPT_ENCODING.as_str(), "gzip")]);
        for (kind, bytes) in [(Kind::JavaScript, "1"), (Kind::Png, LONG), (Kind::Woff2, LONG)] {
            let response = File::new(kind, bytes.into()).answer(&gzip, Keep::ForEver);
            assert_eq!(told(&response, "content-encoding"), None, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn who_has_it_gets_a_304_of_the_form_that_they_have() {
        let file = File::new(Kind::Css, LONG.into());
        let ask = |all: &[(&'static str, &str)]| file.answer(&headers(all), Keep::AskAgain);
        let plain = told(&ask(&[]), "etag").unwrap().to_owned();
        let packed = told(&ask(&[("accept-encoding", "gzip")]), "etag").unwrap().to_owned();
        for known in
            [plain.clone(), format!("W/{plain}"), format!("\"x\", {plain}"), "*".to_owned()]
        {
            let response = ask(&[("if-none-match", &known)]);
            assert_eq!(response.status(), 304, "{known}");
            assert_eq!(told(&response, "etag"), Some(plain.as_str()));
            assert_eq!(told(&response, "cache-control"), Some("no-cache"));
            assert_eq!(told(&response, "vary"), Some("accept-encoding"));
            assert!(body(response).await.is_empty());
        }
        for (accepted, known, status) in
            [("gzip", &packed, 304), ("gzip", &plain, 200), ("identity", &packed, 200)]
        {
            let response = ask(&[("accept-encoding", accepted), ("if-none-match", known)]);
            assert_eq!(response.status(), status, "{accepted} {known}");
        }
        assert_eq!(ask(&[("if-none-match", "\"x\"")]).status(), 200);
    }

    #[test]
    fn kinds_are_known_by_the_ending_alone() {
        assert_eq!(Kind::of("a/b.min.js"), Some(Kind::JavaScript));
        assert_eq!(Kind::of("vendor/x.LICENSE.txt"), Some(Kind::Text));
        for path in ["README.md", "types.d.ts", "a.json", "js", "a.js/b", ".js", "a/.css", ""] {
            assert_eq!(Kind::of(path), None, "{path}");
        }
    }
}
