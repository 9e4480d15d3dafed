//! The bodies that the clients of Chronos get: its words where it has some, and the same manner where it has none.

use std::fmt::Write as _;

use super::story::{self, Row};
use super::{count, counted, escape, instant};
use crate::model::{Alert, AlertKind, NotificationKind};
use crate::notify::Letter;

/// What is told of a letter.
pub(super) fn of(letter: &Letter) -> String {
    if letter.is_trial() {
        return TRIAL.to_owned();
    }
    match (letter.notification.kind, &letter.alerts[..]) {
        (NotificationKind::Alert, [alert]) => of_alert(alert),
        (
            NotificationKind::Alert
            | NotificationKind::Reminder
            | NotificationKind::Digest
            | NotificationKind::Recovery,
            _,
        ) => of_list(letter),
    }
}

/// What a trial says.
pub(super) const TRIAL: &str =
    "This is a test. Nothing has happened, and notifications that are sent this way arrive.";

/// The body about one alert. Chronos begins each with a line break.
pub(super) fn of_alert(alert: &Alert) -> String {
    let at = instant(alert.at);
    let mut text = match (alert.kind, &alert.job) {
        (AlertKind::Deleted, _) => return String::new(),
        (AlertKind::Exhausted, Some(job)) => {
            return format!(
                "All occurrences of job '{}' have run, so it has been disabled.\nRemove it, or give it another schedule and \
                 enable it.\n",
                job.name
            );
        }
        (AlertKind::Failed, Some(job)) => {
            format!("\n'{at}'. Retries attempted: {}.\n", job.retries)
        }
        (AlertKind::Disabled, Some(job)) => {
            let failures = job.stats.errors_since_last_success.saturating_add(1);
            format!("\nFailed at '{at}', {failures} failures since last success\n")
        }
        (
            AlertKind::Failed
            | AlertKind::Retried
            | AlertKind::Missed
            | AlertKind::DidNotRun
            | AlertKind::LateStart
            | AlertKind::Overlong
            | AlertKind::LateFinish
            | AlertKind::Disabled
            | AlertKind::Exhausted
            | AlertKind::Recovered
            | AlertKind::BackfillFinished
            | AlertKind::LeaderChanged
            | AlertKind::AgentLost
            | AlertKind::LauncherGone
            | AlertKind::StoreTrouble
            | AlertKind::ChannelTrouble,
            _,
        ) => format!("\n'{at}'. {}\n", story::sentence(&alert.reason)),
    };
    if let Some(run) = &alert.run {
        if let Some(task_id) = &run.task_id {
            let _ = writeln!(text, "Task id: {}", escape::line(task_id.as_str()));
        }
        if !run.message.is_empty() {
            let message = escape::lines(&run.message);
            let _ = write!(text, "The scheduler provided this message:\n\n{message}");
        }
    }
    text
}

fn of_list(letter: &Letter) -> String {
    let mut text = format!("\n{}\n", story::opening(letter));
    for row in story::rows(&letter.alerts) {
        let Row { who, what, when, why, .. } = row;
        let _ = write!(text, "{who}: {what}, {when}");
        text.push_str(&if why.is_empty() { "\n".to_owned() } else { format!(": {why}\n") });
    }
    let told = u64::try_from(letter.alerts.len()).unwrap_or(u64::MAX);
    let more = count(letter).saturating_sub(told);
    if more > 0 {
        let _ = writeln!(text, "and {}", counted(more, "more alert", "more alerts"));
    }
    text
}
