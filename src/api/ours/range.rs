//! The `Range` header: which bytes of something of known length a client wants. RFC 9110, 14.2.
//!
//! A range that is not understood (another unit, several parts, nonsense) is ignored, as the RFC has it.

/// What a header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// From the first position to the last one, both included; to the end if there is no last.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Last(u64),
}

impl Wanted {
    /// Reads the header's value; `None` if it is to be ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (unit, set) = text.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = set.trim().split_once('-')?;
        if first.is_empty() {
            return Some(Self::Last(number(last)?));
        }
        let first = number(first)?;
        let last = if last.is_empty() { None } else { Some(number(last)?) };
        last.is_none_or(|last| first <= last).then_some(Self::From(first, last))
    }

    /// The positions within `total` bytes: first, and one behind the last. `None` if there are none.
    pub(crate) fn within(self, total: u64) -> Option<(u64, u64)> {
        let (start, end) = match self {
            Self::From(first, last) => {
                (first, last.map_or(total, |last| last.saturating_add(1).min(total)))
            }
            Self::Last(count) => (total.saturating_sub(count), total),
        };
        (start < end).then_some((start, end))
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_cut_to_what_there_is() {
        for (text, total, expected) in [
            ("bytes=0-3", 10, Some((0, 4))),
            ("bytes=0-99", 10, Some((0, 10))),
            ("bytes=4-", 10, Some((4, 10))),
            ("Bytes=-3", 10, Some((7, 10))),
            ("bytes=-99", 10, Some((0, 10))),
            ("bytes=9-9", 10, Some((9, 10))),
            ("bytes=0-18446744073709551615", 10, Some((0, 10))),
            ("bytes=10-", 10, None),
            ("bytes=-0", 10, None),
            ("bytes=0-", 0, None),
        ] {
            assert_eq!(Wanted::parse(text).unwrap().within(total), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_single_range_of_bytes_is_ignored() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "lines=0-1",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "bytes=1-99999999999999999999",
            "bytes=0x1-2",
        ] {
            assert_eq!(Wanted::parse(text), None, "{text}");
        }
    }
}
