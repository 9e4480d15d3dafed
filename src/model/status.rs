//! How the last run of a job that counts ended, from what is counted of it.

use super::{JobStats, Timestamp};

/// How the last run of a job that counts ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// None has.
    Fresh,
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
}

impl JobStatus {
    /// Which of the two instants is later; equal ones are a failure, as in Chronos.
    ///
    /// Both are texts that once came from a client, so either may be no instant. DIFFERENCE: Chronos then fails the whole
    /// list. Here an instant counts before a text that is none, and of two such texts the error does.
    #[must_use]
    pub fn of(stats: &JobStats) -> Self {
        let (success, error) = (&stats.last_success, &stats.last_error);
        match (success.is_empty(), error.is_empty()) {
            (true, true) => Self::Fresh,
            (false, true) => Self::Success,
            (true, false) => Self::Failure,
            (false, false) if is_later(success, error) => Self::Success,
            (false, false) => Self::Failure,
        }
    }

    /// The word in lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// Whether `one` is a later instant than `other`. Nothing is earlier than an instant.
fn is_later(one: &str, other: &str) -> bool {
    // As they are printed, they sort as they are; a list of very many jobs has no time to read each.
    if is_plain(one) && is_plain(other) {
        return one > other;
    }
    let at = |text: &str| text.parse::<Timestamp>().ok();
    at(one) > at(other)
}

/// Whether a text is certainly an instant as they are printed: `2030-01-02T03:04:05.678Z`. Not said of the last days of
/// a month, which only a calendar knows.
fn is_plain(text: &str) -> bool {
    const SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let text = text.as_bytes();
    let fits = |(found, wanted): (&u8, &u8)| match wanted {
        b'0' => found.is_ascii_digit(),
        other => found == other,
    };
    text.len() == SHAPE.len()
        && text.iter().zip(SHAPE).all(fits)
        && (b"01"..=b"12").contains(&&[text[5], text[6]])
        && (b"01"..=b"28").contains(&&[text[8], text[9]])
        && text[11..13] < b"24"[..]
        && text[14..16] < b"60"[..]
        && text[17..19] < b"60"[..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_later_of_two_instants_says_how_it_fares() {
        let early = "2030-01-01T00:00:00.000Z";
        let late = "2030-01-01T00:00:00.001Z";
        for (success, error, expected) in [
            ("", "", JobStatus::Fresh),
            (early, "", JobStatus::Success),
            ("", early, JobStatus::Failure),
            (late, early, JobStatus::Success),
            (early, late, JobStatus::Failure),
            (early, early, JobStatus::Failure),
            // By the instant, not by the text.
            ("2030-01-01T02:00:00+03:00", early, JobStatus::Failure),
            ("yesterday", "", JobStatus::Success),
            ("", "yesterday", JobStatus::Failure),
            ("yesterday", early, JobStatus::Failure),
            (early, "yesterday", JobStatus::Success),
            ("tomorrow", "yesterday", JobStatus::Failure),
            // One that no calendar has is none.
            ("2030-13-01T00:00:00.000Z", early, JobStatus::Failure),
            ("2030-02-30T00:00:00.000Z", early, JobStatus::Failure),
            ("2030-01-31T00:00:00.000Z", late, JobStatus::Success),
        ] {
            let (last_success, last_error) = (success.to_owned(), error.to_owned());
            let stats = JobStats { last_success, last_error, ..JobStats::default() };
            assert_eq!(JobStatus::of(&stats), expected, "{success} {error}");
        }
    }

    proptest! {
        /// What is compared without being read is compared as if it were.
        #[test]
        fn texts_are_compared_as_the_instants_that_they_are(
            one in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
            other in "20[0-3][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z",
        ) {
            let at = |text: &str| text.parse::<Timestamp>().ok();
            prop_assert_eq!(is_later(&one, &other), at(&one) > at(&other));
            prop_assert!(!is_plain(&one) || at(&one).is_some());
        }
    }
}
