//! The schedule of a job that comes from Chronos: text, zone, and whether both sides name the same instants.

use super::import::Settings;
use super::joda::{self, Interval};
use super::walk::Walk;
use crate::migration::finding::{Finding, Weight};
use crate::migration::imported::Upcoming;
use crate::migration::same::{COMPARED_MAX, occurrences};
use crate::model::{Dialect, Duration, Timestamp};
use crate::schedule::{Schedule, Zone, chronos_meaning, is_interval};

/// Instants told of each side.
const TOLD: usize = 5;

/// A schedule as it is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) text: String,
    pub(super) zone: String,
    pub(super) upcoming: Option<Upcoming>,
}

/// What is known about the job beside its schedule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    pub(super) generation: Dialect,
    pub(super) is_disabled: bool,
    /// How late it may start, in 2.x.
    pub(super) epsilon: Duration,
}

/// Translates schedule and zone. `None` after a finding that the job cannot be carried.
pub(super) fn translate(
    text: &str,
    zone: &str,
    beside: Beside,
    settings: &Settings<'_>,
    found: &mut Vec<Finding>,
) -> Option<Moved> {
    let Some(interval) = joda::read(text) else {
        return foreign(text, zone, settings, found);
    };
    if let Some(finding) = unsound(text, interval) {
        found.push(finding);
        return None;
    }
    let (start, zone) = fixed_in(interval.start, zone, settings, found);
    let period = interval.period;
    let canonical = {
        let count = interval.count.map(|count| count.to_string()).unwrap_or_default();
        format!("R{count}/{start}/{}", period.print())
    };
    // As typed wherever that can be read, or the two would look different for nothing.
    let is_typed = start == interval.start && parse(text, &zone, settings).is_ok();
    let text = if is_typed { text.to_owned() } else { canonical };
    let schedule = match parse(&text, &zone, settings) {
        Ok(schedule) => schedule,
        Err(why) => {
            found.push(cannot_read(&text, &why));
            return None;
        }
    };
    if !is_typed {
        found.push(Finding::new(
            Weight::Same,
            "schedule",
            "reads signs, small letters and fractions that mean nothing more",
            &format!("has it as `{text}`"),
        ));
    }
    tell_start(&start, &zone, beside, found);
    tell_count(interval, beside, found);
    let mut moved = Moved { text, zone, upcoming: None };
    if !start.is_empty() {
        moved.upcoming = compare(&schedule, interval, &start, &moved.zone, beside, settings, found);
    }
    Some(moved)
}

fn parse(text: &str, zone: &str, settings: &Settings<'_>) -> Result<Schedule, String> {
    Schedule::parse(text, zone, settings.now, settings.zones).map_err(|error| error.to_string())
}

fn cannot_read(text: &str, why: &str) -> Finding {
    Finding::new(
        Weight::NotCarried,
        "schedule",
        &format!("accepts `{text}`"),
        &format!("refuses it: {why}"),
    )
    .remedy("write the schedule that is meant, in Chronos or in the job file, and import again")
}

/// What is no repeating interval: the fork of Yelp reads cron expressions.
fn foreign(
    text: &str,
    zone: &str,
    settings: &Settings<'_>,
    found: &mut Vec<Finding>,
) -> Option<Moved> {
    let zone = zone_of(zone, settings, found);
    match parse(text, &zone, settings) {
        Ok(schedule) if !is_interval(text) => {
            found.push(
                Finding::new(
                    Weight::Changes,
                    "schedule",
                    &format!(
                        "`{text}` is no repeating interval; some forks read it as a cron expression"
                    ),
                    &format!("reads it as Debian's cron does: {}", schedule.description()),
                )
                .remedy("look whether that is what is meant, with `chronode next`"),
            );
            Some(Moved { text: text.to_owned(), zone, upcoming: None })
        }
        Ok(_) => {
            found.push(cannot_read(text, "it is no repeating interval"));
            None
        }
        Err(why) => {
            found.push(cannot_read(text, &why));
            None
        }
    }
}

/// Periods that Chronos takes and that nobody can have meant.
fn unsound(text: &str, interval: Interval<'_>) -> Option<Finding> {
    let refused = |chronos: &str, remedy: &str| {
        Finding::new(Weight::NotCarried, "schedule", chronos, &format!("refuses `{text}`"))
            .because("such a schedule has no sound meaning")
            .remedy(remedy)
    };
    let period = interval.period;
    if period.has_negative() {
        return Some(refused(
            "goes backwards in time and starts the job again and again",
            "write the period without its sign",
        ));
    }
    if period.is_zero() && !matches!(interval.count, Some(0 | 1)) {
        return Some(refused(
            "has the job always due, so that it starts again as soon as it can",
            "write a period, or `R1` to run once",
        ));
    }
    None
}

/// Start and zone such that they name the same instants here.
fn fixed_in(
    start: &str,
    zone: &str,
    settings: &Settings<'_>,
    found: &mut Vec<Finding>,
) -> (String, String) {
    if let Some(offset) = odd_offset(zone)
        && !start.is_empty()
    {
        found.push(Finding::new(
            Weight::Same,
            "scheduleTimeZone",
            &format!("takes `{zone}` for the offset {offset}, at all times"),
            "has the offset in the schedule itself, and no zone",
        ));
        return (with_offset(start, &offset), String::new());
    }
    (start.to_owned(), zone_of(zone, settings, found))
}

/// Offsets that no zone of the database has: those with minutes, such as `GMT+5:30`.
fn odd_offset(zone: &str) -> Option<String> {
    let digits = zone.strip_prefix("GMT")?;
    let (sign, digits) = digits.split_at_checked(1)?;
    if !matches!(sign, "+" | "-") {
        return None;
    }
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if matches!(digits.len(), 3 | 4) => digits.split_at(digits.len() - 2),
        None => return None,
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_sound = matches!(hours.len(), 1 | 2) && minutes.len() == 2;
    if !is_sound || !is_number(hours) || !is_number(minutes) || minutes == "00" {
        return None;
    }
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}

/// The start with another offset: its digits stay, as when Chronos replaces the zone.
fn with_offset(start: &str, offset: &str) -> String {
    match start.find(['T', 't']) {
        None => format!("{start}T00:00{offset}"),
        Some(at) => {
            let end = start[at..].find(['Z', 'z', '+', '-']).map_or(start.len(), |end| at + end);
            format!("{}{offset}", &start[..end])
        }
    }
}

/// The zone of the database that Chronos means.
fn zone_of(zone: &str, settings: &Settings<'_>, found: &mut Vec<Finding>) -> String {
    if zone.is_empty() || settings.zones.get(zone).is_ok() {
        return zone.to_owned();
    }
    if let Some(meant) = chronos_meaning(zone) {
        found.push(Finding::new(
            Weight::Same,
            "scheduleTimeZone",
            &format!("takes `{zone}` for {meant}, as Java does"),
            &format!("has `{meant}`"),
        ));
        return meant;
    }
    let refused = settings.zones.get(zone).map(drop).map_err(|error| error.to_string());
    let hint = refused.err().unwrap_or_default();
    found.push(
        Finding::new(
            Weight::Same,
            "scheduleTimeZone",
            &format!("knows no zone `{}` and silently takes it for GMT", zone.escape_debug()),
            "has `UTC`, so that the job runs when it ran",
        )
        .because("it is probably not what was meant")
        .remedy(&format!("if another zone was meant, name it: {hint}")),
    );
    "UTC".to_owned()
}

/// A start that says less than it seems to.
fn tell_start(start: &str, zone: &str, beside: Beside, found: &mut Vec<Finding>) {
    if start.is_empty() {
        let then = match beside.generation {
            Dialect::V0 => "begins when it is read",
            Dialect::V1 => "begins a second before it is read",
        };
        found.push(
            Finding::new(
                Weight::Changes,
                "schedule",
                &format!("{then}: the start is empty, and it has not been written out yet"),
                "begins when the job is accepted",
            )
            .remedy("write a start if it matters at which instants the job runs"),
        );
    } else if zone.is_empty() && !has_offset(start) {
        found.push(
            Finding::new(
                Weight::Changes,
                "schedule",
                "reads a start without an offset in the zone of its own process",
                "reads it in UTC",
            )
            .because("the zone of that process is not part of its answers")
            .remedy("set `scheduleTimeZone` to the zone of the machine that Chronos ran on"),
        );
    }
}

fn has_offset(start: &str) -> bool {
    start.find(['T', 't']).is_some_and(|at| start[at..].contains(['Z', 'z', '+', '-']))
}

fn tell_count(interval: Interval<'_>, beside: Beside, found: &mut Vec<Finding>) {
    match (interval.count, beside.generation) {
        (Some(0), _) => found.push(Finding::new(
            Weight::Same,
            "schedule",
            "has no repetition left and never starts it by itself",
            "has it disabled",
        )),
        (Some(count), Dialect::V1) if count > 1 => found.push(
            Finding::new(
                Weight::Changes,
                "schedule",
                &format!(
                    "starts it {count} more times, however late, runs by hand and retries included"
                ),
                &format!(
                    "has the {count} instants that the schedule names, the missed ones included"
                ),
            )
            .because("a count that depends on how late things are cannot be foretold")
            .remedy("nothing, unless the number of runs matters more than when they are"),
        ),
        (Some(_) | None, Dialect::V0 | Dialect::V1) => {}
    }
}

/// Follows both sides for a while, and tells where they part.
fn compare(
    schedule: &Schedule,
    interval: Interval<'_>,
    start: &str,
    zone: &str,
    beside: Beside,
    settings: &Settings<'_>,
    found: &mut Vec<Finding>,
) -> Option<Upcoming> {
    let now = settings.now;
    let begin =
        parse(&format!("R1/{start}/P1D"), zone, settings).ok()?.next_after(Timestamp::MIN)?;
    // Hours, minutes and seconds are the same steps on both sides.
    let compared = if interval.period.is_exact() { TOLD } else { COMPARED_MAX };
    let ours: Vec<Timestamp> = occurrences(schedule, now).take(compared).collect();
    if interval.count == Some(0) {
        return Some(Upcoming::default());
    }
    let walk = Walk::new(schedule.zone(), begin, interval.period, settings.zones)?;
    let late = begin < now;
    if late && !beside.is_disabled && beside.generation == Dialect::V1 {
        found.push(due_already(schedule.zone(), begin));
    }
    let theirs = first_from(&walk, begin, interval, beside, now);
    let most = match interval.count {
        // How many are left of a schedule that began earlier is said by what was started, not by the calendar.
        Some(count) if !late => usize::try_from(count).unwrap_or(usize::MAX),
        Some(_) => ours.len(),
        None => usize::MAX,
    };
    let theirs: Vec<Timestamp> = theirs
        .into_iter()
        .flat_map(|first| walk.clone().from(first))
        .take(most.min(compared))
        .collect();
    let parted = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
    let from = parted.unwrap_or(0);
    if let Some(index) = parted {
        found.push(parts_at(schedule.zone(), theirs[index], ours[index], interval));
    }
    let told = |all: &[Timestamp]| all.iter().skip(from).take(TOLD).copied().collect();
    Some(Upcoming { there: told(&theirs), chronode: told(&ours) })
}

/// The first start at or after `now` that Chronos plans, from what it has stored.
fn first_from(
    walk: &Walk,
    begin: Timestamp,
    interval: Interval<'_>,
    beside: Beside,
    now: Timestamp,
) -> Option<Timestamp> {
    if begin >= now || interval.period.is_zero() {
        return Some(begin);
    }
    let behind = now.duration_since(begin).as_secs();
    match beside.generation {
        // The length of months is measured from now, and multiplied: that lands months away, before or after.
        Dialect::V1 => {
            let length = walk.seconds_from(now).filter(|secs| *secs > 0)?;
            walk.leap(begin, behind / length + 1)
        }
        Dialect::V0 if interval.period.is_monthly() => {
            walk.clone().from(begin).find(|at| *at >= now)
        }
        Dialect::V0 => {
            let length = walk.seconds_from(begin).filter(|secs| *secs > 0)?;
            let leapt = walk.leap(begin, behind / length)?;
            let oldest = now.checked_sub(beside.epsilon).ok()?;
            walk.clone().from(leapt).find(|at| *at > oldest && *at >= now)
        }
    }
}

fn due_already(zone: &Zone, begin: Timestamp) -> Finding {
    Finding::new(
        Weight::Changes,
        "schedule",
        &format!("has been due since {}, and starts it as soon as it can", zone.print(begin)),
        "starts it when it is due next",
    )
    .because("what was due before a job is accepted is owed by whoever had it then")
    .remedy("let Chronos start it before the move, or run it once by hand")
}

fn parts_at(zone: &Zone, theirs: Timestamp, ours: Timestamp, interval: Interval<'_>) -> Finding {
    let why = if interval.period.is_monthly() {
        "Chronos adds the period to the last run, so a day that a month lacks stays lost, and after a long delay it \
         lands months away; Chronode counts from the start"
    } else {
        "Chronos adds the period to the last run, so a wall time that a change of clock moved stays moved; Chronode \
         counts from the start"
    };
    Finding::new(
        Weight::Changes,
        "schedule",
        &format!("is due at {}", zone.print(theirs)),
        &format!("is due at {} instead", zone.print(ours)),
    )
    .because(why)
    .remedy("nothing, if the schedule says what is meant; else write the start that is")
}
