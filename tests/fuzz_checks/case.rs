//! Cases: what bytes say.
//!
//! For the targets `interval` and `cron` three lines, of which the last two may be missing: the text, the zone, and the
//! instant after which occurrences are looked for. For `terms` a line for each term, a word and what it is:
//!
//! ```text
//! schedule 30 2 * * *
//! zone Europe/Berlin
//! gap skip
//! fold last
//! jitter PT10M
//! notBefore 2026-03-01
//! notAfter 2026-12-31T12:00
//! neverIn holidays
//! dates 12-24/12-26
//! weekdays SAT-SUN
//! windows 22:00/06:00
//! job nightly-report
//! after 2026-03-28T00:00:00Z
//! ```
//!
//! `onlyIn` and `neverIn` begin a calendar, to which the lines after it belong. Lines that mean nothing are left out,
//! so that half of a case is a case.

use chronode::model::{
    Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy, Period, ScheduleTerms, Timestamp,
};
use chronode::schedule::parse_period;

/// Bytes of a case; more say nothing new and take long.
const BYTES_MAX: usize = 4_096;
/// Terms of a case.
const LINES_MAX: usize = 60;
/// 10 February 2026, in the middle of a second.
const ACCEPTED_AT: Timestamp = Timestamp::constant(1_770_718_830, 500_000_000);

/// A schedule to read, and what to ask of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) terms: ScheduleTerms,
    pub(crate) accepted_at: Timestamp,
    /// Occurrences are looked for from here on.
    pub(crate) after: Timestamp,
}

impl Case {
    fn new() -> Self {
        Self {
            name: "nightly-report".to_owned(),
            terms: ScheduleTerms::default(),
            accepted_at: ACCEPTED_AT,
            after: ACCEPTED_AT,
        }
    }

    /// Text, zone and instant.
    pub(crate) fn of_lines(bytes: &[u8]) -> Option<Self> {
        let text = text_of(bytes)?;
        let mut lines = text.split('\n');
        let mut case = Self::new();
        case.terms.text = lines.next()?.to_owned();
        case.terms.zone = lines.next().unwrap_or_default().to_owned();
        case.after = lines.next().and_then(|line| line.parse().ok()).unwrap_or(ACCEPTED_AT);
        Some(case)
    }

    /// A word and a value in each line.
    pub(crate) fn of_words(bytes: &[u8]) -> Option<Self> {
        let text = text_of(bytes)?;
        let mut case = Self::new();
        for line in text.split('\n').take(LINES_MAX) {
            if let Some((word, value)) = line.split_once(' ') {
                case.take(word, value);
            }
        }
        Some(case)
    }

    fn take(&mut self, word: &str, value: &str) {
        let terms = &mut self.terms;
        let DstPolicy { gap, fold } = &mut terms.dst;
        match word {
            "schedule" => terms.text = value.to_owned(),
            "zone" => terms.zone = value.to_owned(),
            "gap" => *gap = GapPolicy::parse(value),
            "fold" => *fold = FoldPolicy::parse(value),
            "jitter" => {
                let period = |span| Period { text: value.to_owned(), span };
                terms.jitter = parse_period(value).ok().map(period);
            }
            "notBefore" => terms.not_before = value.to_owned(),
            "notAfter" => terms.not_after = value.to_owned(),
            "job" => self.name = value.to_owned(),
            "after" => self.after = value.parse().unwrap_or(self.after),
            word => self.take_calendar(word, value),
        }
    }

    fn take_calendar(&mut self, word: &str, value: &str) {
        let calendars = &mut self.terms.calendars;
        if let Some(usage) = CalendarUse::parse(word) {
            let (dates, weekdays, windows) = (Vec::new(), Vec::new(), Vec::new());
            calendars.push(Calendar { name: value.to_owned(), usage, dates, weekdays, windows });
        }
        let Some(calendar) = calendars.last_mut() else { return };
        match word {
            "dates" => calendar.dates.push(value.to_owned()),
            "weekdays" => calendar.weekdays.push(value.to_owned()),
            "windows" => calendar.windows.push(value.to_owned()),
            _ => {}
        }
    }
}

fn text_of(bytes: &[u8]) -> Option<String> {
    (bytes.len() <= BYTES_MAX).then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// The texts to which the span of a refusal of this field can belong.
pub(crate) fn texts_of<'t>(terms: &'t ScheduleTerms, field: &str) -> Vec<&'t str> {
    let ScheduleTerms { text, zone, dst, jitter, not_before, not_after, calendars, spread_by: _ } =
        terms;
    let whole = match field {
        "schedule" | "calendars" => Some(text.as_str()),
        "scheduleTimeZone" => Some(zone.as_str()),
        "dst.fold" => dst.fold.map(FoldPolicy::as_str),
        "jitter" => jitter.as_ref().map(|jitter| jitter.text.as_str()),
        "notBefore" => Some(not_before.as_str()),
        "notAfter" => Some(not_after.as_str()),
        path => item_of(calendars, path),
    };
    // What starts of the machine have no use for is refused with a look at the schedule.
    let is_at_boot = text.trim_end().ends_with("@reboot");
    whole.into_iter().chain(is_at_boot.then_some(text.as_str())).collect()
}

/// The text at a path such as `calendars[0].dates[1]`.
fn item_of<'t>(calendars: &'t [Calendar], path: &str) -> Option<&'t str> {
    let (index, path) = path.strip_prefix("calendars[")?.split_once("].")?;
    let calendar = calendars.get(index.parse::<usize>().ok()?)?;
    let (list, index) = path.strip_suffix(']')?.split_once('[')?;
    let items = match list {
        "dates" => &calendar.dates,
        "weekdays" => &calendar.weekdays,
        "windows" => &calendar.windows,
        _ => return None,
    };
    items.get(index.parse::<usize>().ok()?).map(String::as_str)
}
