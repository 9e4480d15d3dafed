//! By when runs should have started and ended, for whoever wants to hear that they have not.

use jiff::civil;

use super::Period;

/// What is expected of each run of a job. Nothing follows for the run itself where it is not met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Objectives {
    /// By when a run should have started.
    pub start_by: Option<Deadline>,
    /// By when a run should be over, and have succeeded.
    pub finish_by: Option<Deadline>,
    /// How much later than it was due a run may start.
    pub max_lateness: Option<Period>,
    /// How long an attempt takes at most, as a rule.
    pub expected_duration: Option<Period>,
}

impl Objectives {
    /// Whether nothing is expected.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { start_by, finish_by, max_lateness, expected_duration } = self;
        start_by.is_none()
            && finish_by.is_none()
            && max_lateness.is_none()
            && expected_duration.is_none()
    }

    /// Whether an occurrence for which nothing runs misses one of them.
    #[must_use]
    pub const fn want_a_run(&self) -> bool {
        let Self { start_by, finish_by, max_lateness, expected_duration: _ } = self;
        start_by.is_some() || finish_by.is_some() || max_lateness.is_some()
    }
}

/// An instant that follows from when a run is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deadline {
    /// So long after it.
    After(Period),
    /// When clocks in the zone of the job's schedule show this for the first time then.
    At {
        /// As typed, e.g. `06:30`.
        text: String,
        /// What it means.
        time: civil::Time,
    },
}

impl Deadline {
    /// As typed.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::After(period) => &period.text,
            Self::At { text, time: _ } => text,
        }
    }

    /// Reads a time of day, `HH:MM` or `HH:MM:SS`.
    #[must_use]
    pub fn time_of_day(text: &str) -> Option<Self> {
        let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let is_colon = |at: usize| text.as_bytes().get(at) == Some(&b':');
        let has_seconds = text.len() == 8 && is_colon(5) && is_digit(6) && is_digit(7);
        let is_formed = is_digit(0) && is_digit(1) && is_colon(2) && is_digit(3) && is_digit(4);
        if !is_formed || !(text.len() == 5 || has_seconds) {
            return None;
        }
        let number = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
        let second = if has_seconds { number(6)? } else { 0 };
        let time = civil::Time::new(number(0)?, number(3)?, second, 0).ok()?;
        Some(Self::At { text: text.to_owned(), time })
    }
}

/// A name and a value by which jobs are sorted and alerts find their way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Its name, unique within a job.
    pub name: String,
    /// Its value; may be empty.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        for text in ["00:00", "06:30", "23:59", "23:59:59"] {
            assert_eq!(Deadline::time_of_day(text).unwrap().text(), text);
        }
        for text in [
            "",
            "6:30",
            "24:00",
            "12:60",
            "12:00:60",
            "12:00:0",
            "12.00",
            "PT5M",
            "１２:00",
            "12:00 ",
        ] {
            assert_eq!(Deadline::time_of_day(text), None, "{text}");
        }
    }
}
