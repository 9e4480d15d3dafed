//! Which of the forms in which a file is kept a client takes (RFC 9110, 12.5.3).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// How the bytes of an answer are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Shorter. Browsers take it where nobody in between can misunderstand it: over TLS, and from their own machine.
    Brotli,
    Gzip,
}

impl Coding {
    /// The word of it in headers.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The best that somebody who sent these headers takes. Who says nothing may not be able to take any.
    pub(super) fn taken_by(headers: &HeaderMap) -> Option<Self> {
        [Self::Brotli, Self::Gzip].into_iter().find(|coding| coding.is_taken_by(headers))
    }

    fn is_taken_by(self, headers: &HeaderMap) -> bool {
        let values =
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let (mut named, mut others) = (None, None);
        for coding in values.flat_map(|value| value.split(',')) {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let is_wanted = parts.all(|part| !is_zero(part));
            if self.is_called(name) {
                named = Some(is_wanted);
            } else if name == "*" {
                others = Some(is_wanted);
            }
        }
        named.or(others).unwrap_or(false)
    }

    fn is_called(self, name: &str) -> bool {
        let is_alias = self == Self::Gzip && name.eq_ignore_ascii_case("x-gzip");
        is_alias || name.eq_ignore_ascii_case(self.word())
    }
}

/// Whether a parameter is a weight of nothing, or one that cannot be read.
fn is_zero(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let weight = value.trim().parse::<f32>();
    name.trim().eq_ignore_ascii_case("q") && !weight.is_ok_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_form_that_is_named_and_not_refused_is_taken() {
        let (brotli, gzip) = (Some(Coding::Brotli), Some(Coding::Gzip));
        for (accepted, expected) in [
            ("gzip", gzip),
            ("GZIP", gzip),
            ("x-gzip", gzip),
            ("gzip, deflate, br, zstd", brotli),
            ("BR", brotli),
            ("br;q=0, gzip;q=0.001", gzip),
            ("br;q=0.1, gzip", brotli),
            ("gzip ; Q = 0.5", gzip),
            ("*", brotli),
            ("*;q=0.1", brotli),
            ("gzip;q=0, *", brotli),
            ("br;q=0, *", gzip),
            ("gzip;q=0.000", None),
            ("gzip;q=x", None),
            ("gzip;q=", None),
            ("*;q=0", None),
            ("gzip, *;q=0", gzip),
            ("identity", None),
            ("gzipped", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(Coding::taken_by(&headers), expected, "{accepted}");
        }
        assert_eq!(Coding::taken_by(&HeaderMap::new()), None);
        let mut both = HeaderMap::new();
        both.append(ACCEPT_ENCODING, "deflate".parse().unwrap());
        both.append(ACCEPT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(Coding::taken_by(&both), gzip);
    }
}
