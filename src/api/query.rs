//! Query strings, decoded strictly.
//!
//! Written out because the usual decoders replace broken UTF-8 silently, and a run must not start with arguments that
//! nobody sent. Chronos' own routes ignore parameters they do not know, as Chronos does; ours refuse them, because a
//! misspelt filter that filters nothing misleads.

use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;

use super::error::ApiError;
use crate::model::Timestamp;
use crate::model::limits::REASON_BYTES_MAX;

/// The parameters of one request, in the order given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query string: `&` between parameters, `+` for a blank, percent for bytes.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        decoded.collect::<Result<_, _>>().map(Self)
    }

    /// The same, refusing what is not in `known` and what is given twice.
    pub(crate) fn parse_known(query: Option<&str>, known: &[&str]) -> Result<Self, ApiError> {
        let query = Self::parse(query)?;
        for (index, (name, _)) in query.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let message = format!("unknown parameter `{}`", name.escape_debug());
                let remedy = format!("the parameters here are {}", known.join(", "));
                return Err(ApiError::invalid(name.as_str(), message).remedy(remedy));
            }
            if query.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(ApiError::invalid(
                    name.as_str(),
                    format!("parameter `{name}` is given twice"),
                ));
            }
        }
        Ok(query)
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is yes or no; given without a value it means yes.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.get(name)
            .map(|value| match value {
                "" | "true" => Ok(true),
                "false" => Ok(false),
                other => Err(invalid(name, other, "`true` or `false`")),
            })
            .transpose()
    }

    /// Whether a change is only to be tried out (`dryRun`).
    ///
    /// Strict although Chronos' routes ignore what they do not know: whoever meant this parameter and wrote it otherwise
    /// would have the change made.
    pub(crate) fn dry_run(&self) -> Result<bool, ApiError> {
        const NAME: &str = "dryRun";
        let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
        let mut given = self.0.iter().filter(|(name, _)| plain(name) == plain(NAME));
        let (first, second) = (given.next(), given.next());
        let Some((name, value)) = first else { return Ok(false) };
        if name != NAME {
            let message = format!("unknown parameter `{}`", name.escape_debug());
            return Err(ApiError::invalid(name.as_str(), message).remedy("write `dryRun`"));
        }
        if second.is_some() {
            return Err(ApiError::invalid(NAME, "parameter `dryRun` is given twice"));
        }
        match value.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(invalid(NAME, other, "`true` or `false`")),
        }
    }

    /// Why the caller wants it (`reason`), if they say; nothing is nothing said.
    pub(crate) fn reason(&self) -> Result<Option<&str>, ApiError> {
        const NAME: &str = "reason";
        if self.0.iter().filter(|(name, _)| name == NAME).count() > 1 {
            return Err(ApiError::invalid(NAME, "parameter `reason` is given twice")
                .remedy("give one reason"));
        }
        self.get(NAME).filter(|text| !text.is_empty()).map(checked_reason).transpose()
    }

    /// A parameter that is a whole number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name)
            .map(|value| value.parse().map_err(|_| invalid(name, value, "a whole number")))
            .transpose()
    }

    /// A parameter that is a whole number within bounds.
    pub(crate) fn within(
        &self,
        name: &str,
        bounds: RangeInclusive<usize>,
    ) -> Result<Option<usize>, ApiError> {
        let (first, last) = (bounds.start(), bounds.end());
        let expected = format!("a number from {first} to {last}");
        self.get(name)
            .map(|value| {
                let number = value.parse().ok().filter(|number| bounds.contains(number));
                number.ok_or_else(|| invalid(name, value, &expected))
            })
            .transpose()
    }

    /// A parameter that is an instant. A `+` before its offset that nobody encoded has become a blank by now.
    pub(crate) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let expected = "an instant such as `2026-03-01T13:00:00Z`";
        self.get(name)
            .map(|value| {
                let plus = |(time, offset)| format!("{time}+{offset}").parse().ok();
                let instant = value.parse().ok().or_else(|| value.rsplit_once(' ').and_then(plus));
                instant.ok_or_else(|| invalid(name, value, expected))
            })
            .transpose()
    }
}

/// The reason of a change, if it can be recorded and told.
pub(crate) fn checked_reason(text: &str) -> Result<&str, ApiError> {
    if text.len() > REASON_BYTES_MAX {
        let message =
            format!("`reason` has {} bytes; at most {REASON_BYTES_MAX} are allowed", text.len());
        return Err(ApiError::invalid("reason", message).remedy("shorten it"));
    }
    // It becomes part of one line in logs and on terminals.
    if text.chars().any(char::is_control) {
        return Err(ApiError::invalid("reason", "`reason` contains a control character")
            .remedy("write it in one line"));
    }
    Ok(text)
}

/// The refusal of a parameter's value.
pub(crate) fn invalid(name: &str, value: &str, expected: &str) -> ApiError {
    let found = value.escape_debug();
    ApiError::invalid(name, format!("invalid `{name}` `{found}`: expected {expected}"))
}

/// The refusal of a parameter that is no number, where Chronos then knows no such path.
pub(crate) fn no_number(name: &str, value: &str) -> ApiError {
    let found = value.escape_debug();
    let message = format!("invalid `{name}` `{found}`: expected a whole number");
    ApiError::not_found("invalid_field", message).field(name).remedy("write digits alone")
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| {
        ApiError::invalid("", "the query string is no UTF-8").remedy("percent-encode it as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_as_forms_are() {
        let query = Query::parse(Some("arguments=-a+1%20%2Bb&x=&x=2&&flag&u=%C3%A9")).unwrap();
        assert_eq!(query.get("arguments"), Some("-a 1 +b"));
        assert_eq!(query.get("x"), Some(""));
        assert_eq!(query.get("u"), Some("é"));
        assert!(query.flag("flag").unwrap().unwrap());
        assert_eq!(query.get("absent"), None);
    }

    #[test]
    fn broken_utf8_and_unknown_or_double_parameters_are_refused() {
        assert!(Query::parse(Some("a=%ff")).is_err());
        assert!(Query::parse_known(Some("jbo=x"), &["job"]).is_err());
        assert!(Query::parse_known(Some("job=x&job=y"), &["job"]).is_err());
        let query = Query::parse_known(Some("limit=-1&live=perhaps"), &["limit", "live"]).unwrap();
        assert!(query.number::<u32>("limit").is_err());
        assert!(query.flag("live").is_err());
    }

    #[test]
    fn a_dry_run_is_asked_for_in_one_way_only() {
        let dry_run = |query: &str| Query::parse(Some(query)).unwrap().dry_run();
        for (query, expected) in
            [("", false), ("other=1", false), ("dryRun=false", false), ("dryRun=true&x=1", true)]
        {
            assert_eq!(dry_run(query).unwrap(), expected, "{query}");
        }
        for query in [
            "dryRun",
            "dryRun=",
            "dryRun=1",
            "dryRun=True",
            "dryRun=false&dryRun=true",
            "dryrun=true",
            "dry_run=true",
            "dry-run",
            "dryRun=true&DRYRUN=false",
        ] {
            assert!(dry_run(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length_given_once() {
        let reason = |query: &str| {
            let query = Query::parse(Some(query)).unwrap();
            query.reason().map(|text| text.map(str::to_owned))
        };
        for (query, expected) in [
            ("", None),
            ("reason=", None),
            ("reason", None),
            ("Reason=x&why=y", None),
            ("reason=it%20hangs+%C3%A9&x=1", Some("it hangs é")),
        ] {
            assert_eq!(reason(query).unwrap().as_deref(), expected, "{query}");
        }
        let longest = "x".repeat(REASON_BYTES_MAX);
        assert_eq!(reason(&format!("reason={longest}")).unwrap(), Some(longest.clone()));
        for query in
            [&format!("reason={longest}x"), "reason=a%0Ab", "reason=%C2%85", "reason=a&reason=a"]
        {
            assert!(reason(query).is_err(), "{query}");
        }
    }

    #[test]
    fn numbers_have_bounds_and_instants_an_offset() {
        let query = "a=1&b=0&c=11&d=-1&e=1.0&f=&g=99999999999999999999";
        let query = Query::parse(Some(query)).unwrap();
        assert_eq!(query.within("a", 1..=10).unwrap(), Some(1));
        assert_eq!(query.within("z", 1..=10).unwrap(), None);
        for name in ["b", "c", "d", "e", "f", "g"] {
            assert!(query.within(name, 1..=10).is_err(), "{name}");
        }
        let noon = Some("2026-03-01T12:00:00Z".parse().unwrap());
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01T13:00:00%2B01:00",
            "2026-03-01T13:00:00+01:00",
            "2026-03-01T07:00-05",
        ] {
            let query = Query::parse(Some(&format!("at={text}"))).unwrap();
            assert_eq!(query.instant("at").unwrap(), noon, "{text}");
        }
        for text in ["", "now", "12", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z"] {
            let query = Query::parse(Some(&format!("at={text}"))).unwrap();
            assert!(query.instant("at").is_err(), "{text}");
        }
    }
}
