//! The resources that Chronos has. Paths, answers and texts are Chronos', in both dialects.

pub(crate) mod graph;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod leader;
pub(crate) mod list;
pub(crate) mod metrics;
pub(crate) mod search;
pub(crate) mod stats;
pub(crate) mod summary;
pub(crate) mod tasks;

use std::convert::Infallible;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

/// An answer whose parts are made one after the other as the client takes them, so that the whole of it is never in
/// memory. `next` makes one part in one go, and none after the last.
fn in_parts(
    content_type: &'static str,
    mut next: impl FnMut() -> Option<String> + Send + 'static,
) -> Response {
    // Made before anything is answered, so that what goes wrong at once is told as an error.
    let first = next();
    let first = stream::iter(first.map(|part| Ok(Bytes::from(part))));
    let rest = stream::unfold(next, |mut next| async move {
        // Between two parts it is the turn of others.
        tokio::task::yield_now().await;
        let part = next()?;
        Some((Ok::<_, Infallible>(Bytes::from(part)), next))
    });
    let content_type = HeaderValue::from_static(content_type);
    ([(CONTENT_TYPE, content_type)], Body::from_stream(first.chain(rest))).into_response()
}

/// An answer that is one array, made of parts. An item is put into a part with a comma in front.
fn array_in_parts(mut next: impl FnMut() -> Option<String> + Send + 'static) -> Response {
    let mut place = Place::Before;
    in_parts("application/json", move || {
        if place == Place::Behind {
            return None;
        }
        let opens = place == Place::Before;
        match (place, next()) {
            (Place::Behind, _) => None,
            (Place::Before | Place::Inside, Some(part)) => {
                // The first item has no comma; a part without any leaves the next one the first.
                let items = if opens { part.strip_prefix(',') } else { Some(part.as_str()) };
                let Some(items) = items else { return Some(part) };
                place = Place::Inside;
                Some(if opens { format!("[{items}") } else { part })
            }
            (Place::Before, None) => {
                place = Place::Behind;
                Some("[]".to_owned())
            }
            (Place::Inside, None) => {
                place = Place::Behind;
                Some("]".to_owned())
            }
        }
    })
}

/// How far an array is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    Behind,
}

/// Puts a text in JSON's quotes behind `to`. Most texts are what they are in JSON too.
fn quote(to: &mut String, text: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        to.push('"');
        to.push_str(text);
        to.push('"');
    } else {
        to.push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_json_is() {
        for text in ["", "R/2030-01-01T00:00:00Z/P1D", "a \"b\"", "\\", "é\u{1}\n", "</script>"] {
            let mut quoted = String::new();
            quote(&mut quoted, text);
            assert_eq!(quoted, serde_json::to_string(text).unwrap());
        }
    }
}
