//! An expression in plain English, from what it names and not from how it is written: `H` is told as what it came to.

use super::super::describe::list;
use super::calendar::{Calendar, Days, Weekdays};

/// At most so many times of day are listed.
const TIMES_MAX: usize = 4;

const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Such as `at 02:30 every day` or `every 15 minutes from 09:00 to 17:45 on Monday to Friday`.
pub(super) fn describe(calendar: &Calendar) -> String {
    let (time, is_frequent) = time_of(calendar);
    let day = day_of(calendar);
    let months = match values(u64::from(calendar.months)).as_slice() {
        all if all.len() == 12 => String::new(),
        some => format!(" in {}", list(&runs(some, |month| MONTHS[month - 1].to_owned()), "and")),
    };
    match (day.as_str(), is_frequent) {
        ("", true) => format!("{time}{months}"),
        ("", false) => format!("{time} every day{months}"),
        (day, _) => format!("{time} {day}{months}"),
    }
}

/// The time of day; and whether it says by itself that it is so all day long.
fn time_of(calendar: &Calendar) -> (String, bool) {
    let seconds = values(calendar.seconds);
    let minutes = values(calendar.minutes);
    let hours = values(u64::from(calendar.hours));
    if seconds == [0] {
        return minutes_and_hours(&minutes, &hours);
    }
    if let ([second], [minute]) = (seconds.as_slice(), minutes.as_slice())
        && hours.len() <= TIMES_MAX
    {
        let times: Vec<_> =
            hours.iter().map(|hour| format!("{hour:02}:{minute:02}:{second:02}")).collect();
        return (format!("at {}", list(&times, "and")), false);
    }
    let every = every(&seconds, 60, "second")
        .unwrap_or_else(|| format!("at {}", units("second", &seconds)));
    if minutes.len() == 60 && hours.len() == 24 {
        let of = if seconds.len() == 1 { " of every minute" } else { "" };
        return (format!("{every}{of}"), true);
    }
    let (rest, is_frequent) = minutes_and_hours(&minutes, &hours);
    let within =
        if minutes.len() == 1 || rest.starts_with("at ") { rest } else { format!("in {rest}") };
    (format!("{every} of the minute {within}"), is_frequent)
}

fn minutes_and_hours(minutes: &[usize], hours: &[usize]) -> (String, bool) {
    let all_hours = hours.len() == 24;
    if let Some(every) = every(minutes, 60, "minute") {
        if all_hours {
            return (every, true);
        }
        if let Some((first, last)) = range(hours) {
            let end = minutes.last().copied().unwrap_or(0);
            return (format!("{every} from {first:02}:00 to {last:02}:{end:02}"), false);
        }
        return (format!("{every} in {}", units("hour", hours)), false);
    }
    if minutes.len() * hours.len() <= TIMES_MAX {
        let times = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (hour, minute)));
        let times: Vec<_> = times.map(|(hour, minute)| format!("{hour:02}:{minute:02}")).collect();
        return (format!("at {}", list(&times, "and")), false);
    }
    let past = match minutes {
        [0] => "on the hour".to_owned(),
        minutes => format!("at {}", units("minute", minutes)),
    };
    if all_hours {
        return (format!("every hour {past}"), true);
    }
    if let Some(every) = every(hours, 24, "hour") {
        return (format!("{every} {past}"), false);
    }
    match (range(hours), minutes) {
        (Some((first, last)), [minute]) => {
            (format!("every hour from {first:02}:{minute:02} to {last:02}:{minute:02}"), false)
        }
        (Some(_) | None, _) => (format!("{past} of {}", units("hour", hours)), false),
    }
}

/// `every 15 minutes`, if the values divide all of `size` evenly, from 0.
fn every(values: &[usize], size: usize, unit: &str) -> Option<String> {
    let [0, rest @ ..] = values else { return None };
    let step = rest.first().copied()?;
    let is_even = size.is_multiple_of(step)
        && values.len() == size / step
        && values.iter().enumerate().all(|(index, value)| *value == index * step);
    is_even.then(|| match step {
        1 => format!("every {unit}"),
        step => format!("every {step} {unit}s"),
    })
}

/// First and last, if there is no hole between them.
fn range(values: &[usize]) -> Option<(usize, usize)> {
    let (first, last) = (*values.first()?, *values.last()?);
    (last - first + 1 == values.len()).then_some((first, last))
}

/// `minute 5`, `minutes 5, 10 and 20`, or `minutes 0 to 56 in steps of 7`.
fn units(unit: &str, values: &[usize]) -> String {
    if let [first, second, .., last] = values
        && values.len() > TIMES_MAX
        && second - first > 1
        && values.windows(2).all(|pair| pair[1] - pair[0] == second - first)
    {
        return format!("{unit}s {first} to {last} in steps of {}", second - first);
    }
    let plural = if values.len() == 1 { "" } else { "s" };
    format!("{unit}{plural} {}", list(&runs(values, |value| value.to_string()), "and"))
}

fn day_of(calendar: &Calendar) -> String {
    let Calendar { days, weekdays, needs_both, .. } = calendar;
    let of_month = days_of_month(days);
    let of_week = days_of_week(weekdays);
    match (needs_both, days.is_every(), weekdays.is_every()) {
        (true, true, true) | (false, true, _) | (false, _, true) => String::new(),
        (true, true, false) => format!("on {of_week}"),
        (true, false, true) => format!("on {of_month}"),
        (true, false, false) => {
            format!("on {of_month}, if that is {}", of_week.replace(" and ", " or "))
        }
        (false, false, false) => format!("on {of_month}, and on {of_week}"),
    }
}

fn days_of_month(days: &Days) -> String {
    let Days { fixed, before_last, near, last_working } = days;
    let mut parts = Vec::new();
    let fixed = values(u64::from(*fixed));
    if !fixed.is_empty() {
        parts.push(units("day", &fixed));
    }
    for day in values(u64::from(*near)) {
        parts.push(format!("the working day nearest to day {day}"));
    }
    for back in values(u64::from(*before_last)).into_iter().rev() {
        parts.push(match back {
            0 => "the last day".to_owned(),
            1 => "the day before the last one".to_owned(),
            back => format!("the day {back} days before the last one"),
        });
    }
    if *last_working {
        parts.push("the last working day".to_owned());
    }
    format!("{} of the month", list(&parts, "and"))
}

fn days_of_week(weekdays: &Weekdays) -> String {
    let Weekdays { every, nth, last } = weekdays;
    // A week is told from Monday on.
    let monday_first = |set: u8| {
        let mut days = values(u64::from(set));
        days.sort_by_key(|day| (day + 6) % 7);
        days
    };
    let mut parts = weekday_runs(&monday_first(*every));
    let ordinals = ["first", "second", "third", "fourth", "fifth"];
    let of_month = ordinals.into_iter().zip(*nth).chain([("last", *last)]);
    for (ordinal, set) in of_month {
        let days = monday_first(set);
        parts.extend(
            days.into_iter().map(|day| format!("the {ordinal} {} of the month", WEEKDAYS[day])),
        );
    }
    list(&parts, "and")
}

/// Names of weekdays; three or more in a row as `Monday to Friday`.
fn weekday_runs(days: &[usize]) -> Vec<String> {
    let positions: Vec<usize> = days.iter().map(|day| (day + 6) % 7).collect();
    runs(&positions, |position| WEEKDAYS[(position + 1) % 7].to_owned())
}

/// Values in words; three or more in a row as `a to b`.
fn runs(values: &[usize], name: impl Fn(usize) -> String) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = values;
    while let Some(&first) = rest.first() {
        let length =
            rest.iter().zip(first..).take_while(|(value, expected)| **value == *expected).count();
        let taken = if length >= 3 { length } else { 1 };
        parts.push(match taken {
            1 => name(first),
            length => format!("{} to {}", name(first), name(first + length - 1)),
        });
        rest = &rest[taken..];
    }
    parts
}

/// The set bits.
fn values(set: u64) -> Vec<usize> {
    (0..64).filter(|bit| set >> bit & 1 == 1).collect()
}
