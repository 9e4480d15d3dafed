//! Which of a schedule's occurrences count: from when to when it holds, and its calendars.
//!
//! Asked about an instant, a filter also says how long its answer holds, so that whoever searches leaps over whole
//! nights, weekends and holidays instead of asking about every second of them. Inside a day, and inside a stretch
//! without a change of clock, all of this is comparing numbers.
//!
//! Instants in here are milliseconds since 1970. Forecast, preview and engine use this one filter, through
//! [`super::Schedule`].

use crate::model::{Calendar, CalendarUse, ScheduleTerms};

use super::calendar::{Day, DaySet};
use super::error::{ScheduleError, Source};
use super::iso8601;
use super::zone::Zone;

/// What may pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    /// The first instant that may.
    not_before: Option<i64>,
    /// The last one.
    not_after: Option<i64>,
    calendars: Box<[Used]>,
}

#[derive(Debug, Clone)]
struct Used {
    name: Box<str>,
    is_wanted: bool,
    set: DaySet,
}

/// Whether an instant may pass, and until when that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// It and all that follow before `until` may.
    Open { until: i64 },
    /// Neither it nor any before `until` may; `i64::MAX` if none ever may again.
    Closed { until: i64 },
}

impl Filter {
    pub(super) fn new(terms: &ScheduleTerms, zone: &Zone) -> Result<Self, ScheduleError> {
        let not_before = read_bound("notBefore", &terms.not_before, zone, Side::First)?;
        let not_after = read_bound("notAfter", &terms.not_after, zone, Side::Last)?;
        if let (Some(first), Some(last)) = (not_before, not_after)
            && first > last
        {
            return Err(Source::new("notAfter", &terms.not_after).refuse_all(|found| {
                format!("{found} is before `notBefore`, `{}`: write a later one", terms.not_before)
            }));
        }
        let calendars = (0..).zip(&terms.calendars).map(|(index, calendar)| {
            let Calendar { name, usage, .. } = calendar;
            let set = DaySet::read(calendar, &format!("calendars[{index}]"), zone)?;
            let is_wanted = match usage {
                CalendarUse::OnlyIn => true,
                CalendarUse::NeverIn => false,
            };
            Ok(Used { name: name.as_str().into(), is_wanted, set })
        });
        let calendars = calendars.collect::<Result<_, _>>()?;
        Ok(Self { not_before, not_after, calendars })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.not_before.is_none() && self.not_after.is_none() && self.calendars.is_empty()
    }

    /// The same without its bounds in time; `None` if there is nothing else.
    pub(super) fn calendars_alone(&self) -> Option<Self> {
        let calendars = self.calendars.clone();
        (!calendars.is_empty()).then_some(Self { not_before: None, not_after: None, calendars })
    }

    /// The last instant that may pass, if there is a last one.
    pub(super) const fn not_after(&self) -> Option<i64> {
        self.not_after
    }

    /// Whether `at` may pass.
    pub(super) fn permit(&self, at: i64, zone: &Zone) -> Permit {
        if self.not_after.is_some_and(|last| at > last) {
            return Permit::Closed { until: i64::MAX };
        }
        if let Some(first) = self.not_before.filter(|first| at < *first) {
            return Permit::Closed { until: first };
        }
        let mut open_until = self.not_after.map_or(i64::MAX, |last| last.saturating_add(1));
        let mut closed_until = None;
        if !self.calendars.is_empty() {
            let day = Day::of(at, zone);
            for used in &self.calendars {
                let (is_in, until) = used.set.holds(at, &day);
                if is_in == used.is_wanted {
                    open_until = open_until.min(until);
                } else {
                    closed_until = closed_until.max(Some(until));
                }
            }
        }
        match closed_until {
            Some(until) => Permit::Closed { until },
            None => Permit::Open { until: open_until },
        }
    }

    /// The calendars in words: their names by use.
    pub(super) fn calendar_names(&self, is_wanted: bool) -> Vec<String> {
        let used = self.calendars.iter().filter(|used| used.is_wanted == is_wanted);
        used.map(|used| format!("`{}`", used.name)).collect()
    }
}

/// Which end of what a text names is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Its first instant.
    First,
    /// Its last one: of a date the end of that day.
    Last,
}

/// Reads a date, or a date and a time; in `zone` if it has no offset of its own. Empty is none.
fn read_bound(
    field: &str,
    text: &str,
    zone: &Zone,
    side: Side,
) -> Result<Option<i64>, ScheduleError> {
    if text.is_empty() {
        return Ok(None);
    }
    let source = Source::new(field, text);
    let moment = iso8601::read_moment(source, 0..text.len())?;
    let beyond = || {
        source.refuse_all(|found| {
            format!("{found} is beyond the end of year 9999: write an earlier one")
        })
    };
    let at = match (moment.has_time, side) {
        (true, _) | (false, Side::First) => zone.moment(&moment, side),
        (false, Side::Last) => zone.end_of_day(&moment),
    };
    at.map(Some).ok_or_else(beyond)
}
