//! What Debian's cron makes of the five fields of a line, accidents included, in our words.
//!
//! Its reader stops at the first character that it does not expect and skips the rest of the field, and a range that
//! goes backwards names nothing. So it takes texts that look like something else than what it runs. Here such a text is
//! rewritten as what is really run; `tests/crontab.rs` asks the daemon itself.
//!
//! Source of the rules: `entry.c` of cron 3.0pl1-162.

use super::super::error::Source;
use super::calendar::{Calendar, Days, Weekdays};
use super::field::{DAY, Field, HOUR, Kind, MINUTE, MONTH, WEEKDAY, is_number};
use super::parse;

/// How a line's fields are to be written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebianReading {
    /// As they are.
    Same,
    /// Otherwise: this text runs when cron runs the line, which looks like something else.
    Means(String),
    /// Cron accepts them and never runs the line; the sentence says why.
    Never(String),
}

/// Words that it knows, in this form alone.
const WORDS: [&str; 8] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@reboot"];

/// Reads five fields, separated by blanks or tabs, or a word.
///
/// # Errors
///
/// A sentence, of fields at which cron gives the line up.
pub fn as_debian_reads(text: &str) -> Result<DebianReading, String> {
    if text.starts_with('@') {
        return if WORDS.contains(&text) {
            Ok(DebianReading::Same)
        } else {
            Err(format!("it knows no `{}`", text.escape_debug()))
        };
    }
    let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    let [minute, hour, day, month, weekday] = words[..] else {
        return Err(format!("it wants five fields and finds {}", words.len()));
    };
    let fields = [
        read(minute, &MINUTE)?,
        read(hour, &HOUR)?,
        read(day, &DAY)?,
        read(month, &MONTH)?,
        read(weekday, &WEEKDAY)?,
    ];
    let [minutes, hours, days, months, weekdays] = &fields;
    let needs_both = days.is_star || weekdays.is_star;
    let has_days = match needs_both {
        true => days.values != 0 && weekdays.values != 0,
        false => days.values != 0 || weekdays.values != 0,
    };
    if minutes.values == 0 || hours.values == 0 || months.values == 0 || !has_days {
        let of = fields.iter().zip(["minute", "hour", "day of the month", "month", "weekday"]);
        let names: Vec<String> = of
            .filter(|(field, _)| field.values == 0)
            .map(|(field, name)| format!("`{}` in the {name}", field.typed.escape_debug()))
            .collect();
        return Ok(DebianReading::Never(format!(
            "a range that goes backwards names nothing: {}",
            names.join(", ")
        )));
    }
    let fits = "the field is no wider";
    let fixed = u32::try_from(days.values).expect(fits);
    let every = parse::fold_week(weekdays.values);
    // A field of days that names nothing leaves it to the other one, as one that allows all does.
    let (fixed, every, needs_both) = match (fixed, every) {
        (0, every) => (Days::ALL, every, true),
        (fixed, 0) => (fixed, Weekdays::ALL, true),
        (fixed, every) => (fixed, every, needs_both),
    };
    let calendar = Calendar {
        seconds: 1,
        minutes: minutes.values,
        hours: u32::try_from(hours.values).expect(fits),
        days: Days { fixed, ..Days::default() },
        months: u16::try_from(months.values).expect(fits),
        weekdays: Weekdays { every, ..Weekdays::default() },
        needs_both,
    };
    if !calendar.has_dates() {
        return Ok(DebianReading::Never("it names a date that never comes".to_owned()));
    }
    let is_wildcard = minutes.is_star || hours.is_star;
    let is_same = |text: &str| {
        parse::read(Source::new("schedule", text), 0, "")
            .is_ok_and(|ours| ours.calendar == calendar && ours.is_wildcard == is_wildcard)
    };
    if is_same(text) {
        return Ok(DebianReading::Same);
    }
    let plain: Vec<String> = fields.iter().map(Read::plain).collect();
    let plain = plain.join(" ");
    debug_assert!(is_same(&plain), "`{text}` is not `{plain}`");
    Ok(DebianReading::Means(plain))
}

/// One field as cron reads it.
struct Read<'t> {
    typed: &'t str,
    /// Bit n: the value n. Empty if only ranges that go backwards were there.
    values: u64,
    /// Whether it begins with `*`, which has a meaning of its own.
    is_star: bool,
    /// Its items as far as cron looked at them, without those that name nothing.
    items: Vec<String>,
}

impl Read<'_> {
    fn plain(&self) -> String {
        if self.items.is_empty() { "*".to_owned() } else { self.items.join(",") }
    }
}

fn read<'t>(word: &'t str, field: &Field) -> Result<Read<'t>, String> {
    let mut found =
        Read { typed: word, values: 0, is_star: word.starts_with('*'), items: Vec::new() };
    let mut rest = word;
    loop {
        let refuse = || format!("it cannot read `{}` as {}", word.escape_debug(), field.name);
        let (item, values, after) = read_item(rest, field).ok_or_else(refuse)?;
        if values != 0 {
            found.values |= values;
            found.items.push(item);
        }
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            // Whatever follows is skipped.
            None => return Ok(found),
        }
    }
}

/// The item at the beginning, what it names, and what follows it.
fn read_item<'t>(text: &'t str, field: &Field) -> Option<(String, u64, &'t str)> {
    let (first, last, after) = match text.strip_prefix('*') {
        // For it, `*` in the weekday goes up to the second Sunday.
        Some(after) => (u32::from(field.min), u32::from(field.max), after),
        None => {
            let (first, after) = read_number(text, field)?;
            match after.strip_prefix('-') {
                None if after.starts_with('/') => return None,
                None => return Some((first.to_string(), one(first, field)?, after)),
                Some(after) => {
                    let (last, after) = read_number(after, field)?;
                    (first, last, after)
                }
            }
        }
    };
    let (step, after) = match after.strip_prefix('/') {
        None => (1, after),
        Some(after) => {
            let digits = alphanumeric(after);
            let step = number(digits).filter(|step| *step > 0)?;
            (step, &after[digits.len()..])
        }
    };
    let mut values = 0;
    for value in (first..=last).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
        values |= one(value, field)?;
    }
    let range = if text.starts_with('*') { "*".to_owned() } else { format!("{first}-{last}") };
    let item = if step == 1 { range } else { format!("{range}/{step}") };
    Some((item, values, after))
}

/// A value's bit, if the field has it.
fn one(value: u32, field: &Field) -> Option<u64> {
    (u32::from(field.min)..=u32::from(field.max)).contains(&value).then(|| 1 << value)
}

/// A number, or a name of three letters.
fn read_number<'t>(text: &'t str, field: &Field) -> Option<(u32, &'t str)> {
    let token = alphanumeric(text);
    let named = match field.kind {
        Kind::Month | Kind::Weekday if !is_number(token) => field.value(token).map(u32::from),
        Kind::Month | Kind::Weekday | Kind::Time | Kind::Day => None,
    };
    let value = named.or_else(|| number(token))?;
    Some((value, &text[token.len()..]))
}

fn alphanumeric(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

/// Larger numbers than there are values are all the same.
fn number(token: &str) -> Option<u32> {
    is_number(token).then(|| token.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(text: &str) -> String {
        match as_debian_reads(text) {
            Ok(DebianReading::Same) => "same".to_owned(),
            Ok(DebianReading::Means(text)) => text,
            Ok(DebianReading::Never(why)) => format!("never: {why}"),
            Err(why) => format!("refused: {why}"),
        }
    }

    #[test]
    fn what_looks_like_something_else_is_written_as_what_is_run() {
        for (text, meaning) in [
            ("*/15 2 * * mon-fri", "same"),
            ("0 0 31 * *", "same"),
            ("@daily", "same"),
            ("0 12 * * 5#2", "0 12 * * 5"),
            ("0~30 2 * * *", "0 2 * * *"),
            ("0 1.5 * * *", "0 1 * * *"),
            ("*x 2 * * *", "* 2 * * *"),
            ("0 22-2,5 * * *", "0 5 * * *"),
            ("0 0 31-1 * 1", "0 0 * * 1"),
            ("0 0 1 * fri-mon", "0 0 1 * *"),
            (
                "0 22-2 * * *",
                "never: a range that goes backwards names nothing: `22-2` in the hour",
            ),
            (
                "0 0 * * fri-mon",
                "never: a range that goes backwards names nothing: `fri-mon` in the weekday",
            ),
            ("0 0 30 2 *", "never: it names a date that never comes"),
            ("5/15 * * * *", "refused: it cannot read `5/15` as minute"),
            ("0 0 L * *", "refused: it cannot read `L` as day of the month"),
            ("0 0 * * 8", "refused: it cannot read `8` as weekday"),
            ("*/0 * * * *", "refused: it cannot read `*/0` as minute"),
            ("@Daily", "refused: it knows no `@Daily`"),
            ("* * * *", "refused: it wants five fields and finds 4"),
        ] {
            assert_eq!(means(text), meaning, "{text}");
        }
    }
}
