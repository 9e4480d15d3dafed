//! What a job says about its occurrences, as typed.
//!
//! Texts stay texts here: `schedule` reads them, and clients get back what they sent.

use super::Period;

/// Everything that decides which occurrences a job has, and how late within reason each may begin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScheduleTerms {
    /// The schedule: a repeating interval or a cron expression.
    pub text: String,
    /// The zone; empty for none.
    pub zone: String,
    /// What changes of clock do to it.
    pub dst: DstPolicy,
    /// Over how long a time starts are spread; `None` for not at all.
    pub jitter: Option<Period>,
    /// Occurrences before this are none; empty for no bound.
    pub not_before: String,
    /// Occurrences after this are none; empty for no bound.
    pub not_after: String,
    /// When it may and may not be due; all must agree.
    pub calendars: Vec<Calendar>,
    /// The name that decides what `H` and jitter spread; empty for the job's own.
    pub spread_by: String,
}

impl ScheduleTerms {
    /// A schedule and its zone, and nothing else said.
    #[must_use]
    pub fn plain(text: impl Into<String>, zone: impl Into<String>) -> Self {
        Self { text: text.into(), zone: zone.into(), ..Self::default() }
    }
}

/// What changes of clock do to occurrences. What is `None` is the default of the schedule's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DstPolicy {
    /// For wall times that are skipped where the clock goes forward.
    pub gap: Option<GapPolicy>,
    /// For wall times that are shown twice where the clock goes back.
    pub fold: Option<FoldPolicy>,
}

/// What becomes of an occurrence whose wall time is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapPolicy {
    /// It is at the first instant after the gap; several become one.
    After,
    /// It is later by the length of the gap.
    Shift,
    /// There is none.
    Skip,
}

impl GapPolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::After, Self::Shift, Self::Skip];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Shift => "shift",
            Self::Skip => "skip",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word)
    }
}

/// At which passing of a wall time that is shown twice there is an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldPolicy {
    /// At the first.
    First,
    /// At the last.
    Last,
    /// At both.
    Both,
}

impl FoldPolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Last, Self::Both];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Both => "both",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word)
    }
}

/// A named set of times: whatever is in one of its dates, on one of its weekdays or inside one of its windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// What people call it.
    pub name: String,
    /// How it is used.
    pub usage: CalendarUse,
    /// Dates such as `2026-12-25`, yearly ones such as `12-25`, and ranges of them with `/`, both ends included.
    pub dates: Vec<String>,
    /// Weekdays such as `SAT` and ranges of them such as `MON-FRI`.
    pub weekdays: Vec<String>,
    /// Times of day such as `22:00/06:00`, or spans such as `2026-12-24T18:00/2027-01-02T06:00`, without their end.
    pub windows: Vec<String>,
}

/// How a calendar is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUse {
    /// Occurrences outside of it are none.
    OnlyIn,
    /// Occurrences in it are none.
    NeverIn,
}

impl CalendarUse {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::OnlyIn, Self::NeverIn];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyIn => "onlyIn",
            Self::NeverIn => "neverIn",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.as_str() == word)
    }
}
