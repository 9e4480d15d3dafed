//! Why a schedule, zone or period was refused, in one type for all of them.
//!
//! Says which field of the job, which bytes of its text, what stands there, and what would be right. Texts come from
//! strangers, so what is echoed is cut short and its control characters are made visible.

use std::borrow::Cow;
use std::ops::Range;

/// Characters of a refused text that are echoed; the span says where the rest is.
const FOUND_CHARS_MAX: usize = 60;

/// A text that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScheduleError {
    /// The field of the job, such as `schedule`, `epsilon` or `calendars[0].dates[1]`.
    pub field: Cow<'static, str>,
    /// The offending bytes of the field's text; empty at the place where something is missing.
    pub span: Range<usize>,
    /// What stands there, cut short, control characters escaped.
    pub found: String,
    /// A full sentence: what is wrong, a colon, what would be right.
    pub message: String,
}

impl ScheduleError {
    /// The message in two: what is wrong, and what would be right.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        let Self { found, message, .. } = self;
        // Behind what is echoed, which not every message does, the first colon is ours.
        let echo = format!("`{found}`");
        let echoed = message.find(&echo).map_or(0, |at| at + echo.len());
        let colon = message[echoed..].find(": ").map(|at| echoed + at);
        colon.map_or((message.as_str(), ""), |at| (&message[..at], &message[at + 2..]))
    }
}

/// A field's text while it is read. Makes errors that know their place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'t> {
    pub(super) field: &'t str,
    pub(super) text: &'t str,
}

impl<'t> Source<'t> {
    pub(super) const fn new(field: &'t str, text: &'t str) -> Self {
        Self { field, text }
    }

    /// An error about the bytes of `span`; `sentence` gets them in back-ticks.
    pub(super) fn refuse(
        self,
        span: Range<usize>,
        sentence: impl FnOnce(&str) -> String,
    ) -> ScheduleError {
        let span = self.whole_chars(span);
        let found = shorten(&self.text[span.clone()]);
        let message = sentence(&format!("`{found}`"));
        ScheduleError { field: Cow::Owned(self.field.to_owned()), span, found, message }
    }

    /// An error about the whole text.
    pub(super) fn refuse_all(self, sentence: impl FnOnce(&str) -> String) -> ScheduleError {
        self.refuse(0..self.text.len(), sentence)
    }

    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Widens `span` to whole characters: readers work on bytes, and a stranger's text need not be ASCII.
    fn whole_chars(self, span: Range<usize>) -> Range<usize> {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        start..end
    }
}

/// What may be printed of a stranger's text.
fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(FOUND_CHARS_MAX).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    if shown.chars().any(char::is_control) { shown.escape_debug().to_string() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_about_part_of_a_character_shows_the_whole_character() {
        let error = Source::new("schedule", "aäb").refuse(2..2, |found| format!("odd {found}"));
        assert_eq!((error.span.clone(), error.to_string()), (1..3, "odd `ä`".to_owned()));
    }

    #[test]
    fn long_and_unprintable_texts_are_not_echoed() {
        let text = format!("\u{1b}[2J{}", "x".repeat(1_000));
        let error = Source::new("schedule", &text).refuse_all(|found| format!("odd {found}"));
        assert!(error.message.len() < 100 && !error.message.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn the_remedy_of_a_schedule_is_what_stands_behind_the_echo() {
        let split = |found: &str, message: &str| {
            let error = ScheduleError {
                field: "schedule".into(),
                span: 0..0,
                found: found.to_owned(),
                message: message.to_owned(),
            };
            let (wrong, right) = error.parts();
            (wrong.to_owned(), right.to_owned())
        };
        for (found, message, wrong, right) in [
            (
                "61",
                "minute `61` is too large: at most 59",
                "minute `61` is too large",
                "at most 59",
            ),
            ("a: b", "`a: b` is odd: write c: d", "`a: b` is odd", "write c: d"),
            ("", "the schedule is empty: write one", "the schedule is empty", "write one"),
            ("Z", "no digits: write `1Z`", "no digits", "write `1Z`"),
            ("x", "`x` is odd", "`x` is odd", ""),
        ] {
            assert_eq!(split(found, message), (wrong.to_owned(), right.to_owned()), "{message}");
        }
    }
}
