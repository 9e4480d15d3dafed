//! What a letter looks like. Pure: the same letter is the same bytes.
//!
//! `subject.rs` has the words of each kind of alert; `story.rs` makes of the facts a list of blocks, which `page.rs`
//! prints as plain text and as HTML, and `mime.rs` puts both into a mail. `body.rs` has the texts of Chronos for its
//! own clients, `json.rs` all bodies of JSON. `escape.rs` makes text of what could be more than that.

mod body;
mod escape;
mod json;
mod mime;
mod page;
mod story;
mod subject;

use std::collections::BTreeSet;

use super::Letter;
use crate::model::{JobName, NotificationKind, Timestamp};

pub(super) use escape::cut_line;
pub use json::{http, mattermost, slack, webhook};
pub(super) use mime::{mail, mailbox};

/// The subject of a letter: that of Chronos where it has one, in its manner else. On one line.
#[must_use]
pub fn subject(letter: &Letter) -> String {
    subject::title(letter)
}

/// The subject of a mail: as [`subject()`], but what belongs to an earlier mail answers that.
#[must_use]
pub fn mail_subject(letter: &Letter) -> String {
    subject::of_mail(letter)
}

/// The body of a letter for the clients of Chronos, in Chronos' words where it has some. Empty for a deleted job.
#[must_use]
pub fn message(letter: &Letter) -> String {
    body::of(letter)
}

/// A mail's part of plain text.
#[must_use]
pub fn text(letter: &Letter) -> String {
    page::text(&story::of(letter))
}

/// A mail's part of HTML.
#[must_use]
pub fn html(letter: &Letter) -> String {
    page::html(&story::of(letter))
}

/// Bytes as hexadecimal digits, small ones.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .collect()
}

/// Why a letter is sent, as a word: `alert`, `reminder`, `digest`, `recovery`, or `trial`.
pub(super) fn kind_word(letter: &Letter) -> &'static str {
    if letter.is_trial() {
        return "trial";
    }
    match letter.notification.kind {
        NotificationKind::Alert => "alert",
        NotificationKind::Reminder => "reminder",
        NotificationKind::Digest => "digest",
        NotificationKind::Recovery => "recovery",
    }
}

/// The job that all of a letter is about, if it is about one.
pub(super) fn only_job(letter: &Letter) -> Option<&str> {
    let names: BTreeSet<Option<&JobName>> =
        letter.alerts.iter().map(|alert| alert.job.as_ref().map(|job| &job.name)).collect();
    match names.into_iter().collect::<Vec<_>>()[..] {
        [Some(name)] => Some(name.as_str()),
        _ => None,
    }
}

/// An instant as Chronos and our API print it: UTC, with milliseconds.
fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// How many alerts a letter tells of, those left out included.
fn count(letter: &Letter) -> u64 {
    u64::try_from(letter.notification.alerts.len().max(letter.alerts.len()))
        .unwrap_or(u64::MAX)
        .saturating_add(letter.notification.left_out)
}

/// `1 alert`, `2 alerts`.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
