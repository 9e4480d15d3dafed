//! Schedules in plain English.

use crate::model::Timestamp;

use super::period::Period;
use super::recurrence::Recurrence;
use super::{Rule, Schedule};

impl Schedule {
    /// What it does in plain English, such as `at 02:30 every day (Europe/Berlin)`.
    #[must_use]
    pub fn description(&self) -> String {
        let mut text = match &self.rule {
            Rule::Interval(recurrence) => interval(recurrence),
            Rule::Cron(cron) => format!("{} ({})", cron.describe(), cron.zone().name()),
            Rule::Boot(_) => "once after each start of the machine".to_owned(),
        };
        for (word, is_wanted) in [("only in", true), ("never in", false)] {
            let names = self.filter.calendar_names(is_wanted);
            if !names.is_empty() {
                let joint = if is_wanted { "and" } else { "or" };
                text.push_str(&format!(", {word} {}", list(&names, joint)));
            }
        }
        if self.jitter.millis > 0 {
            let spread = length(Period { millis: self.jitter.millis, ..Period::default() });
            text.push_str(&format!(", starts spread over {spread}"));
        }
        text
    }
}

fn interval(recurrence: &Recurrence) -> String {
    let zone = recurrence.zone();
    let start = Timestamp::from_millisecond(recurrence.start()).map(|at| zone.print(at));
    let start = start.unwrap_or_default();
    let zone = match zone.name() {
        // The offset says it already.
        name if name == "UTC" || name.starts_with(['+', '-']) => String::new(),
        name => format!(" ({name})"),
    };
    match recurrence.count() {
        Some(0) => "never".to_owned(),
        Some(1) => format!("once, at {start}{zone}"),
        count => {
            let every = every(recurrence.period());
            let times = count.map_or(String::new(), |count| format!(", {count} times in all"));
            format!("{every} from {start}{zone}{times}")
        }
    }
}

/// `every day`, `every 15 minutes`, `every 1 month and 12 hours`.
fn every(period: Period) -> String {
    let text = length(period);
    match text.strip_prefix("1 ").filter(|_| !text.contains([',']) && !text.contains(" and ")) {
        Some(unit) => format!("every {unit}"),
        None => format!("every {text}"),
    }
}

/// `1 day`, `15 minutes`, `1 month and 12 hours`.
fn length(period: Period) -> String {
    let Period { months, days, millis } = period;
    let (years, months) = (months / 12, months % 12);
    let (weeks, days) = if days % 7 == 0 { (days / 7, 0) } else { (0, days) };
    let (seconds, fraction) = (millis / 1_000, millis % 1_000);
    let whole = [
        (years, "year"),
        (months, "month"),
        (weeks, "week"),
        (days, "day"),
        (seconds / 3_600, "hour"),
        (seconds / 60 % 60, "minute"),
        (if fraction == 0 { seconds % 60 } else { 0 }, "second"),
    ];
    let named = whole.into_iter().filter(|(count, _)| *count != 0);
    let mut parts: Vec<String> = named
        .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if fraction != 0 {
        let text = format!("{}.{fraction:03}", seconds % 60);
        parts.push(format!("{} seconds", text.trim_end_matches('0')));
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { list(&parts, "and") }
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(parts: &[String], last: &str) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
