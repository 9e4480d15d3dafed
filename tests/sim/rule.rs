//! What jobs say about their occurrences, and the occurrences they name, found by walking: slow, obvious, and knowing
//! nothing of `schedule`.

use std::fmt;

use chronode::model::{Calendar, CalendarUse, Duration, Period, ScheduleTerms, Timestamp};

use super::civil::{self, DAY, HOUR, MINUTE, UTC, ZONES, Zone};
use super::plan::{Pace, Plan};
use super::rng::Rng;

/// A schedule and everything that narrows or spreads it. All instants and spans are milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    rule: Rule,
    zone: &'static Zone,
    pub(crate) jitter: i64,
    not_before: Option<i64>,
    not_after: Option<i64>,
    /// Nothing is due from the first of these minutes of the day on until the second, which may be past midnight.
    never_in: Option<(i64, i64)>,
    /// Nothing is due but on these weekdays, both included; Sunday is 0.
    only_on: Option<(i64, i64)>,
    /// The name that spreads starts, of a job that has inherited its schedule; empty for its own.
    spread_by: String,
}

/// An occurrence, and what may be said of its start window without knowing how starts are spread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occurrence {
    pub(crate) due: i64,
    /// It opens between `due` and this, both included.
    pub(crate) opens_by: i64,
}

impl Terms {
    pub(crate) fn new(rng: &mut Rng, plan: &Plan, now: Timestamp) -> Self {
        let (pace, now) = (plan.pace, now.as_millisecond());
        let zone = match rng.between(0, 9) {
            0..=4 => plan.home,
            5 | 6 => rng.choose(&ZONES),
            _ => &UTC,
        };
        let rule = Rule::new(rng, pace, zone, now);
        let zone = if rule.is_exact() { &UTC } else { zone };
        let not_before = rng.chance(10).then(|| now + rng.between(-20, 40) * pace.of(MINUTE, HOUR));
        let begin = not_before.unwrap_or(now);
        let not_after = rng.chance(10).then(|| begin + rng.between(0, pace.of(3 * HOUR, 20 * DAY)));
        // Calendars that leave nothing of a schedule are refused.
        let never_in = (rng.chance(20) && rule.is_all_day()).then(|| {
            let from = rng.pick(&[23 * 60 + 30, 0, 17, 60, 90, 150, 240]);
            (from, (from + rng.pick(&[1, 5, 30, 90])) % (24 * 60))
        });
        let only_on = (rng.chance(pace.of(0, 20)) && rule.is_all_week()).then(|| {
            let first = rng.between(0, 4);
            (first, rng.between(first, 6))
        });
        let jitter = match pace {
            Pace::Vicious => rng.pick(&[0, 0, 0, 1, 1_000, 30_000, 10 * MINUTE, HOUR]),
            Pace::Sparse => rng.pick(&[0, 0, 0, 1_000, 10 * MINUTE, HOUR, 5 * HOUR]),
        };
        Self {
            rule,
            zone,
            jitter,
            not_before,
            not_after,
            never_in,
            only_on,
            spread_by: String::new(),
        }
    }

    /// As the child of a deleted job gets them.
    pub(crate) fn spread_by(mut self, name: &str) -> Self {
        if self.jitter > 0 && self.spread_by.is_empty() {
            name.clone_into(&mut self.spread_by);
        }
        self
    }

    /// Often, at all times and for ever.
    pub(crate) fn often(rng: &mut Rng, now: Timestamp) -> Self {
        let rule = Rule::Interval {
            count: None,
            start: now.as_millisecond() + rng.between(0, 60_000),
            period: rng.pick(&[20_000, 30_000, 60_000]),
        };
        Self {
            rule,
            zone: &UTC,
            jitter: 0,
            not_before: None,
            not_after: None,
            never_in: None,
            only_on: None,
            spread_by: String::new(),
        }
    }

    /// As a client writes them.
    pub(crate) fn to_model(&self) -> ScheduleTerms {
        let zone = if self.zone.name == UTC.name { "" } else { self.zone.name };
        let mut terms = ScheduleTerms::plain(self.rule.to_string(), zone);
        if self.jitter > 0 {
            let span = Duration::from_millis(self.jitter);
            terms.jitter = Some(Period { text: seconds(self.jitter), span });
        }
        terms.spread_by.clone_from(&self.spread_by);
        terms.not_before = self.not_before.map(instant).unwrap_or_default();
        terms.not_after = self.not_after.map(instant).unwrap_or_default();
        if let Some((from, until)) = self.never_in {
            let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
            terms.calendars.push(Calendar {
                name: "closed".to_owned(),
                usage: CalendarUse::NeverIn,
                dates: Vec::new(),
                weekdays: Vec::new(),
                windows: vec![format!("{}/{}", time(from), time(until))],
            });
        }
        if let Some((first, last)) = self.only_on {
            let word = |day: i64| WEEKDAYS[usize::try_from(day).expect("a weekday")];
            terms.calendars.push(Calendar {
                name: "open".to_owned(),
                usage: CalendarUse::OnlyIn,
                dates: Vec::new(),
                weekdays: (first..=last).map(|day| word(day).to_owned()).collect(),
                windows: Vec::new(),
            });
        }
        terms
    }

    /// All occurrences due from `from` to `through`, both included.
    pub(crate) fn occurrences(&self, from: i64, through: i64) -> Vec<Occurrence> {
        // A window opens before the next occurrence is due. One that is further away than the jitter bounds nothing.
        let due = self.due(from, through + self.jitter);
        let opens_by = |index: usize| {
            let room = due.get(index + 1).map_or(self.jitter, |next| next - due[index]);
            due[index] + (room.min(self.jitter) - 1).max(0)
        };
        (0..due.len())
            .map(|index| Occurrence { due: due[index], opens_by: opens_by(index) })
            .take_while(|occurrence| occurrence.due <= through)
            .collect()
    }

    /// The occurrence that is due at this instant, if one is.
    pub(crate) fn occurrence(&self, due: i64) -> Option<Occurrence> {
        self.occurrences(due, due).first().copied()
    }

    fn due(&self, from: i64, through: i64) -> Vec<i64> {
        let mut found = self.rule.due(self.zone, from, through);
        found.retain(|at| {
            self.not_before.is_none_or(|bound| bound <= *at)
                && self.not_after.is_none_or(|bound| *at <= bound)
                && !self.is_closed(self.zone.wall(*at))
        });
        found
    }

    fn is_closed(&self, wall: i64) -> bool {
        let minute = wall.rem_euclid(DAY) / MINUTE;
        let in_window = self.never_in.is_some_and(|(from, until)| {
            if from < until {
                from <= minute && minute < until
            } else {
                from <= minute || minute < until
            }
        });
        let weekday = civil::weekday(wall);
        let on_other_day =
            self.only_on.is_some_and(|(first, last)| weekday < first || last < weekday);
        in_window || on_other_day
    }
}

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// Exact: an instant and a span.
    Interval { count: Option<i64>, start: i64, period: i64 },
    /// A wall time of the zone, and calendar steps.
    Steps { count: Option<i64>, start: i64, step: Step },
    /// Every so many minutes of the hour.
    EveryMinutes(i64),
    /// At this minute of every hour.
    AtMinute(i64),
    /// At this minute of every so many hours between two, on the weekdays between two; Sunday is 0.
    AtMinuteOf { minute: i64, hours: (i64, i64), step: i64, weekdays: (i64, i64) },
    /// Once a day on the days of the month between two.
    OnDays { minute: i64, hour: i64, days: (i64, i64) },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Days(i64),
    Months(i64),
}

impl Rule {
    fn new(rng: &mut Rng, pace: Pace, zone: &Zone, now: i64) -> Self {
        let kind = rng.between(0, 9);
        match pace {
            Pace::Vicious => match kind {
                0 => Self::EveryMinutes(rng.pick(&[1, 2, 5, 7, 15])),
                1 => Self::AtMinute(rng.between(0, 59)),
                2 => Self::some_hours(rng),
                _ => Self::Interval {
                    count: rng.chance(30).then(|| rng.between(0, 40)),
                    start: now + rng.between(-600_000, 900_000),
                    period: rng.pick(&[5_000, 20_000, 60_000, 60_000, 90_500, 300_000, 900_000]),
                },
            },
            Pace::Sparse => match kind {
                0 => Self::EveryMinutes(rng.pick(&[15, 20, 30])),
                1 => Self::AtMinute(rng.between(0, 59)),
                2 | 3 => Self::some_hours(rng),
                4 | 5 => Self::once_a_day(rng),
                6 => Self::Interval {
                    count: rng.chance(30).then(|| rng.between(0, 200)),
                    start: now + rng.between(-10 * HOUR, 20 * HOUR),
                    period: rng.pick(&[HOUR, 6 * HOUR, 24 * HOUR, 25 * HOUR, 7 * 24 * HOUR]),
                },
                _ => Self::Steps {
                    count: rng.chance(30).then(|| rng.between(0, 40)),
                    // Whole minutes, often in the small hours, when clocks are changed.
                    start: zone.wall(now).div_euclid(DAY) * DAY
                        + rng.between(-40, 10) * DAY
                        + rng.pick(&[0, 2 * HOUR, 3 * HOUR, 15 * HOUR])
                        + rng.between(0, 59) * MINUTE,
                    step: rng.pick(&[Step::Days(1), Step::Days(1), Step::Days(7), Step::Months(1)]),
                },
            },
        }
    }

    fn some_hours(rng: &mut Rng) -> Self {
        // Clocks are set on Sundays.
        let (first_hour, first_day) = (rng.between(0, 4), rng.pick(&[0, 0, 0, 1, 4]));
        Self::AtMinuteOf {
            minute: rng.between(0, 59),
            hours: (first_hour, rng.between(first_hour, 23)),
            step: rng.between(1, 3),
            weekdays: (first_day, rng.between(first_day, 6)),
        }
    }

    fn once_a_day(rng: &mut Rng) -> Self {
        let first = rng.pick(&[1, 1, 1, 15, 28]);
        Self::OnDays {
            minute: rng.between(0, 59),
            hour: rng.pick(&[0, 1, 1, 2, 2, 3, 12, 23]),
            days: (first, if first == 1 { 31 } else { rng.between(first, 31) }),
        }
    }

    /// Whether it is in instants and spans. A zone would take its start for what clocks on walls show.
    const fn is_exact(&self) -> bool {
        match self {
            Self::Interval { .. } => true,
            Self::Steps { .. }
            | Self::EveryMinutes(_)
            | Self::AtMinute(_)
            | Self::AtMinuteOf { .. }
            | Self::OnDays { .. } => false,
        }
    }

    /// Whether it names instants at all times of the day, and for ever.
    const fn is_all_day(&self) -> bool {
        match self {
            Self::Interval { count, period, .. } => count.is_none() && *period < HOUR,
            Self::EveryMinutes(_) | Self::AtMinute(_) => true,
            Self::Steps { .. } | Self::AtMinuteOf { .. } | Self::OnDays { .. } => false,
        }
    }

    /// Whether it names instants on every weekday, and for ever.
    const fn is_all_week(&self) -> bool {
        match self {
            Self::Interval { .. } => self.is_all_day(),
            Self::Steps { count, step, .. } => {
                count.is_none()
                    && match step {
                        Step::Days(days) => *days == 1,
                        Step::Months(_) => true,
                    }
            }
            Self::EveryMinutes(_) | Self::AtMinute(_) | Self::OnDays { .. } => true,
            Self::AtMinuteOf { .. } => false,
        }
    }

    /// All instants from `from` to `through`, both included.
    fn due(&self, zone: &Zone, from: i64, through: i64) -> Vec<i64> {
        let mut found = Vec::new();
        match *self {
            Self::Interval { count, start, period } => {
                let mut k = (from - start).div_euclid(period).max(0);
                while count.is_none_or(|count| k < count) && start + k * period <= through {
                    found.extend(Some(start + k * period).filter(|at| *at >= from));
                    k += 1;
                }
            }
            Self::Steps { count, start, step } => {
                let mut k = 0;
                while count.is_none_or(|count| k < count) {
                    let at = zone.instant(match step {
                        Step::Days(days) => start + k * days * DAY,
                        Step::Months(months) => civil::add_months(start, k * months),
                    });
                    if at > through {
                        break;
                    }
                    found.extend(Some(at).filter(|at| *at >= from));
                    k += 1;
                }
            }
            Self::EveryMinutes(_)
            | Self::AtMinute(_)
            | Self::AtMinuteOf { .. }
            | Self::OnDays { .. } => {
                let mut at = from.div_euclid(MINUTE) * MINUTE;
                while at <= through {
                    if at >= from && self.is_due(zone, at) {
                        found.push(at);
                    }
                    at += MINUTE;
                }
            }
        }
        found
    }

    /// Whether an expression of cron is due at this whole minute. One whose minute or hour begins with `*` follows the
    /// clock. The others are due once: at the first passing, and for everything that is skipped at the end of the gap.
    fn is_due(&self, zone: &Zone, at: i64) -> bool {
        let names_now = self.names(zone.wall(at));
        if self.follows_clock() {
            return names_now;
        }
        let names_skipped = || {
            let skipped = zone.change_at(at).map_or((0, 0), |change| change.skipped());
            (skipped.0..skipped.1).step_by(60_000).any(|wall| self.names(wall))
        };
        (names_now && !zone.is_repeated(at)) || names_skipped()
    }

    const fn follows_clock(&self) -> bool {
        match self {
            Self::EveryMinutes(_) | Self::AtMinute(_) => true,
            Self::Interval { .. }
            | Self::Steps { .. }
            | Self::AtMinuteOf { .. }
            | Self::OnDays { .. } => false,
        }
    }

    /// Whether an expression of cron names this wall time, a whole minute.
    fn names(&self, wall: i64) -> bool {
        let minute = wall.div_euclid(MINUTE).rem_euclid(60);
        let hour = wall.div_euclid(HOUR).rem_euclid(24);
        match *self {
            Self::EveryMinutes(step) => minute % step == 0,
            Self::AtMinute(wanted) => minute == wanted,
            Self::AtMinuteOf { minute: wanted, hours, step, weekdays } => {
                let weekday = civil::weekday(wall);
                minute == wanted
                    && hours.0 <= hour
                    && hour <= hours.1
                    && (hour - hours.0) % step == 0
                    && weekdays.0 <= weekday
                    && weekday <= weekdays.1
            }
            Self::OnDays { minute: wanted, hour: wanted_hour, days } => {
                minute == wanted
                    && hour == wanted_hour
                    && (days.0..=days.1).contains(&civil::day_of_month(wall))
            }
            Self::Interval { .. } | Self::Steps { .. } => false,
        }
    }
}

fn instant(millis: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(millis).expect("within this century"))
}

fn seconds(millis: i64) -> String {
    format!("PT{}.{:03}S", millis / 1_000, millis % 1_000)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interval { count, start, period } => {
                write_count(f, *count)?;
                write!(f, "/{}/{}", instant(*start), seconds(*period))
            }
            Self::Steps { count, start, step } => {
                write_count(f, *count)?;
                // The zone gives the digits their offset.
                write!(f, "/{}/", instant(*start).trim_end_matches('Z'))?;
                match step {
                    Step::Days(days) if days % 7 == 0 => write!(f, "P{}W", days / 7),
                    Step::Days(days) => write!(f, "P{days}D"),
                    Step::Months(months) => write!(f, "P{months}M"),
                }
            }
            Self::EveryMinutes(step) => write!(f, "*/{step} * * * *"),
            Self::AtMinute(minute) => write!(f, "{minute} * * * *"),
            Self::AtMinuteOf { minute, hours, step, weekdays } => {
                let ((first, last), (monday, friday)) = (hours, weekdays);
                write!(f, "{minute} {first}-{last}/{step} * * {monday}-{friday}")
            }
            Self::OnDays { minute, hour, days: (first, last) } => {
                write!(f, "{minute} {hour} {first}-{last} * *")
            }
        }
    }
}

fn write_count(f: &mut fmt::Formatter<'_>, count: Option<i64>) -> fmt::Result {
    write!(f, "R")?;
    count.map_or(Ok(()), |count| write!(f, "{count}"))
}
