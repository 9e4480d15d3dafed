//! Names and numbers that identify things. All are derived, none is random.

use std::fmt;

use super::limits::{NAME_BYTES_MAX, TASK_ID_BYTES_MAX};
use super::{Timestamp, millis_since_epoch};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// An agent: the machine on which a task runs, as its launcher names it.
    AgentId
}
text_id! {
    /// An offer, as its launcher names it.
    OfferId
}
text_id! {
    /// What a Mesos master calls this scheduler. Tasks belong to it, and outlive every connection.
    FrameworkId
}

/// Who may decide; grows by one with every leader. Edges drop what carries an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Term(pub u64);

/// Which names a door lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// `[\w\s.#_-]+`, as Chronos 2.5.
    Blanks,
    /// `[\w.-]+`, as Chronos 3.
    NoBlanks,
}

impl NameRule {
    /// The pattern as Chronos prints it in its refusal.
    #[must_use]
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Blanks => r"([\w\s\.#_-]+)",
            Self::NoBlanks => r"([\w\.-]+)",
        }
    }

    fn allows(self, c: char) -> bool {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | '.' | '-')
            || (self == Self::Blanks && matches!(c, ' ' | '#'))
    }
}

/// Why a text is no job name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("the job's name is empty: give it at least one character of {pattern}")]
    Empty {
        /// What is allowed.
        pattern: &'static str,
    },
    /// Too long for task ids and paths.
    #[error("the job's name has {found} bytes: at most {NAME_BYTES_MAX} are allowed")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
    /// A character outside the pattern.
    #[error(
        "the job's name is invalid. Allowed names: '{pattern}'; `{found}` at position {position} is not allowed"
    )]
    Character {
        /// What is allowed.
        pattern: &'static str,
        /// The first offender, escaped for printing.
        found: String,
        /// Its place, counted in characters from 1.
        position: usize,
    },
    /// `.` or `..`, or blank at an end: a trap for paths and people.
    #[error("the job's name `{found}` is invalid: {why}")]
    Shape {
        /// The name.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A job's name: its identity to people and clients. At most 128 bytes of [`NameRule::Blanks`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(String);

impl JobName {
    /// Checks `text` against what every door allows and what `rule` allows.
    ///
    /// White space other than the blank is refused on both doors although Chronos 2 let it in: a line break in a name
    /// would end up in logs, mails and file names (DIFFERENCE).
    ///
    /// # Errors
    ///
    /// [`NameError`], whose text names what was found and what is allowed.
    pub fn parse(text: &str, rule: NameRule) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty { pattern: rule.pattern() });
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong { found: text.len() });
        }
        if let Some((index, c)) = text.chars().enumerate().find(|&(_, c)| !rule.allows(c)) {
            return Err(NameError::Character {
                pattern: rule.pattern(),
                found: c.escape_debug().to_string(),
                position: index + 1,
            });
        }
        let shape = |why| Err(NameError::Shape { found: text.to_owned(), why });
        if text.chars().all(|c| c == '.') {
            return shape("a name of dots alone is a path; add a letter or digit");
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return shape("it begins or ends with a blank; remove it");
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One life of a job from its creation to its deletion; a later job of the same name has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "j{}", self.0)
    }
}

/// A run's identity: the job's incarnation and what triggered it. Safe in URLs and file names.
///
/// `j17-s1893465000000` is the run of incarnation 17 for the occurrence due at that millisecond, `j17-m…` one that a
/// person asked for, `j17-p…` one triggered by a round of parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    /// Whose run it is.
    pub incarnation: Incarnation,
    /// The letter of the trigger: `s`, `m` or `p`.
    kind: RunKind,
    /// The due instant (scheduled) or the acceptance instant moved forward until unused (others).
    millis: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum RunKind {
    Scheduled,
    Manual,
    Parents,
    Backfill,
    Retried,
}

impl RunId {
    /// The run for the occurrence of `incarnation` due at `due_at`.
    #[must_use]
    pub fn scheduled(incarnation: Incarnation, due_at: Timestamp) -> Self {
        Self { incarnation, kind: RunKind::Scheduled, millis: millis_since_epoch(due_at) }
    }

    /// The run a person asked for, numbered by its task ids' millisecond, which no other run of that name uses.
    #[must_use]
    pub const fn manual(incarnation: Incarnation, millis: i64) -> Self {
        Self { incarnation, kind: RunKind::Manual, millis }
    }

    /// The run triggered by a finished round of parents, numbered likewise.
    #[must_use]
    pub const fn parents(incarnation: Incarnation, millis: i64) -> Self {
        Self { incarnation, kind: RunKind::Parents, millis }
    }

    /// The run of a backfill, numbered likewise.
    #[must_use]
    pub const fn backfill(incarnation: Incarnation, millis: i64) -> Self {
        Self { incarnation, kind: RunKind::Backfill, millis }
    }

    /// The run that tries once more what an earlier one stood for, numbered likewise.
    #[must_use]
    pub const fn retried(incarnation: Incarnation, millis: i64) -> Self {
        Self { incarnation, kind: RunKind::Retried, millis }
    }

    /// Reads what [`fmt::Display`] prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (incarnation, rest) = text.strip_prefix('j')?.split_once('-')?;
        let kind = match rest.as_bytes().first()? {
            b's' => RunKind::Scheduled,
            b'm' => RunKind::Manual,
            b'p' => RunKind::Parents,
            b'b' => RunKind::Backfill,
            b'r' => RunKind::Retried,
            _ => return None,
        };
        let id = Self {
            incarnation: Incarnation(incarnation.parse().ok()?),
            kind,
            millis: rest[1..].parse().ok()?,
        };
        // One text per run: `j017-s+5` must not name what `j17-s5` names.
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            RunKind::Scheduled => 's',
            RunKind::Manual => 'm',
            RunKind::Parents => 'p',
            RunKind::Backfill => 'b',
            RunKind::Retried => 'r',
        };
        write!(f, "{}-{kind}{}", self.incarnation, self.millis)
    }
}

/// The name of one attempt towards the launcher and its command. Nothing is parsed back from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// `ct:<millis>:<attempt>:<job>:<arguments>` as Chronos writes it, made safe.
    ///
    /// Semicolons in the arguments vanish, as in Chronos; `/`, `\` and control characters become `_`; over 255 bytes
    /// the end is replaced by a hash of the whole.
    #[must_use]
    pub fn new(millis: i64, attempt: u32, job: &JobName, arguments: &str) -> Self {
        let arguments = arguments.replace(';', "");
        let full: String = format!("ct:{millis}:{attempt}:{job}:{arguments}")
            .chars()
            .map(|c| if matches!(c, '/' | '\\') || c.is_control() { '_' } else { c })
            .collect();
        if full.len() <= TASK_ID_BYTES_MAX {
            return Self(full);
        }
        let hash = format!("~{:016x}", fnv1a(full.as_bytes()));
        let mut end = TASK_ID_BYTES_MAX - hash.len();
        while !full.is_char_boundary(end) {
            end -= 1;
        }
        Self(format!("{}{hash}", &full[..end]))
    }

    /// An id read back from the store or a launcher.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// FNV-1a, 64 bits: written down, so that it never changes as `std`'s default hasher may.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> JobName {
        JobName::parse(text, NameRule::Blanks).unwrap()
    }

    #[test]
    fn task_ids_are_those_of_chronos() {
        // The vectors of TaskUtilsSpec.
        let id = |arguments| TaskId::new(1_420_843_781_398, 0, &name("sample-name"), arguments).0;
        assert_eq!(id("-a 1 -b 2"), "ct:1420843781398:0:sample-name:-a 1 -b 2");
        assert_eq!(id(""), "ct:1420843781398:0:sample-name:");
        assert_eq!(id("-c 1 ; ./evil.sh"), "ct:1420843781398:0:sample-name:-c 1  ._evil.sh");
    }

    #[test]
    fn a_long_task_id_is_cut_with_a_hash_and_stays_distinct() {
        let id = |last| TaskId::new(1, 0, &name("a"), &format!("{}{last}", "é".repeat(300))).0;
        assert!(id("x").len() <= TASK_ID_BYTES_MAX);
        assert_ne!(id("x"), id("y"));
    }

    #[test]
    fn run_ids_print_and_parse_one_way_only() {
        for text in ["j1-s0", "j17-m1893465000000", "j18446744073709551615-p-5"] {
            assert_eq!(RunId::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["", "j1", "j1-", "j1-x5", "j01-s5", "j1-s+5", "j1-s05", "1-s5", "j1-s5 ", "j-s5"]
        {
            assert_eq!(RunId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn each_door_has_its_names() {
        for text in ["a", "nightly.report-2_x", "36"] {
            assert!(JobName::parse(text, NameRule::NoBlanks).is_ok(), "{text}");
        }
        assert!(JobName::parse("a b#c", NameRule::Blanks).is_ok());
        assert!(JobName::parse("a b", NameRule::NoBlanks).is_err());
        for text in ["", ".", "..", "a/b", "a\nb", "é", " a", "a ", "a\0", "%2e", &"x".repeat(129)]
        {
            assert!(JobName::parse(text, NameRule::Blanks).is_err(), "{text:?}");
        }
        let error = JobName::parse("a/b", NameRule::NoBlanks).unwrap_err().to_string();
        assert!(error.contains(r"Allowed names: '([\w\.-]+)'"), "{error}");
        assert!(error.contains("`/` at position 2"), "{error}");
    }
}
