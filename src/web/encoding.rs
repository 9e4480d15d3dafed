//! Whether a client takes gzip (RFC 9110, 12.5.3).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// Whether somebody who sent these headers takes gzip. Who says nothing may not be able to.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let (mut named, mut others) = (None, None);
    for coding in values.flat_map(|value| value.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let is_wanted = parts.all(|part| !is_zero(part));
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            named = Some(is_wanted);
        } else if name == "*" {
            others = Some(is_wanted);
        }
    }
    named.or(others).unwrap_or(false)
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
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for (accepted, expected) in [
            ("gzip", true),
            ("GZIP", true),
            ("x-gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, gzip;q=0.001", true),
            ("gzip ; Q = 0.5", true),
            ("*", true),
            ("*;q=0.1", true),
            ("gzip;q=0, *", false),
            ("gzip;q=0.000", false),
            ("gzip;q=x", false),
            ("gzip;q=", false),
            ("*;q=0", false),
            ("gzip, *;q=0", true),
            ("br", false),
            ("identity", false),
            ("gzipped", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(takes_gzip(&headers), expected, "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
        let mut both = HeaderMap::new();
        both.append(ACCEPT_ENCODING, "br".parse().unwrap());
        both.append(ACCEPT_ENCODING, "gzip".parse().unwrap());
        assert!(takes_gzip(&both));
    }
}
