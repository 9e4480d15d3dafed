//! What holds of every schedule that is accepted, and of every refusal, whatever the text: asked through the public
//! doors alone.
//!
//! The fuzz targets and `tests/corpus.rs` call [`interval`], [`cron`] and [`terms`] with bytes from anywhere; each
//! panics with a sentence if something does not hold. A case is a text file, so that a corpus can be read and written
//! by hand. See [`case`] for its form.

mod case;
mod oracle;

use std::ops::Range;
use std::sync::OnceLock;

use chronode::model::limits::SCHEDULE_BYTES_MAX;
use chronode::model::{Duration, ScheduleTerms, Timestamp};
use chronode::schedule::{Opening, Remaining, Schedule, ScheduleError, Span, ZoneDb, parse_period};

use case::Case;

const ZONE_NAMES: [&str; 16] = [
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "UTC",
];
/// So many occurrences are looked at.
const STEPS: usize = 24;
/// What takes a search for each bit of an instant is asked of each seventh of them.
const SPARSE: usize = 7;
/// Characters of a message; what a stranger wrote is cut short in it.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// A text as a repeating interval, and as a period. This one and the others say whether a schedule was accepted.
#[allow(dead_code, reason = "a fuzz target asks for one of the three")]
pub(crate) fn interval(bytes: &[u8]) -> bool {
    let Some(case) = Case::of_lines(bytes) else { return false };
    let text = &case.terms.text;
    match parse_period(text) {
        Ok(span) => assert!(!span.is_negative(), "the period is negative"),
        Err(error) => check_refusal_of("epsilon", text, &error),
    }
    // Everything else is the other target's; it would only be read twice.
    text.trim_start().starts_with(['R', 'r']) && check(&case)
}

/// A text as an expression.
#[allow(dead_code, reason = "a fuzz target asks for one of the three")]
pub(crate) fn cron(bytes: &[u8]) -> bool {
    Case::of_lines(bytes).is_some_and(|case| check(&case))
}

/// Everything that a job says about its occurrences.
#[allow(dead_code, reason = "a fuzz target asks for one of the three")]
pub(crate) fn terms(bytes: &[u8]) -> bool {
    Case::of_words(bytes).is_some_and(|case| check(&case))
}

fn check(case: &Case) -> bool {
    match read(case) {
        Ok(schedule) => {
            let again = read(case).expect("what was read once is read again");
            check_same(&schedule, &again, case.after);
            check_schedule(case, &schedule);
            true
        }
        Err(error) => {
            let again = read(case).err();
            assert_eq!(again.as_ref(), Some(&error), "refused otherwise at second sight");
            check_refusal(&case.terms, &error);
            false
        }
    }
}

fn read(case: &Case) -> Result<Schedule, ScheduleError> {
    Schedule::of(&case.name, &case.terms, case.accepted_at, zones())
}

/// Some zones whose clocks do what few others do. Not all: looking for what a misspelt name may mean takes most of the
/// time otherwise.
pub(crate) fn zones() -> &'static ZoneDb {
    static ZONES: OnceLock<ZoneDb> = OnceLock::new();
    ZONES.get_or_init(|| {
        let bundled = ZoneDb::bundled();
        let data = |name| (name, bundled.data(name).expect("a known zone"));
        ZoneDb::from_kept(ZONE_NAMES.map(data))
    })
}

fn check_refusal(terms: &ScheduleTerms, error: &ScheduleError) {
    let field = error.field.as_ref();
    let texts = case::texts_of(terms, field);
    assert!(!texts.is_empty(), "`{field}` is no field of the terms: {error}");
    let fits = |text: &&str| is_in(text, &error.span);
    assert!(texts.iter().any(fits), "{:?} is no part of `{field}`: {error}", error.span);
    if terms.text.len() > SCHEDULE_BYTES_MAX {
        assert_eq!(field, "schedule", "a text that is too long was read: {error}");
    }
    check_message(error);
}

fn check_refusal_of(field: &str, text: &str, error: &ScheduleError) {
    assert_eq!(error.field, field);
    assert!(is_in(text, &error.span), "{:?} is no part of the text: {error}", error.span);
    check_message(error);
}

fn is_in(text: &str, span: &Range<usize>) -> bool {
    span.start <= span.end && text.get(span.clone()).is_some()
}

fn check_message(error: &ScheduleError) {
    let message = error.to_string();
    let (wrong, right) = error.parts();
    assert!(!wrong.is_empty() && !right.is_empty(), "no remedy, or nothing to remedy: {message:?}");
    let is_plain = !message.chars().any(char::is_control);
    assert!(is_plain, "control characters are echoed: {message:?}");
    assert!(message.chars().count() <= MESSAGE_CHARS_MAX, "the message is long: {message}");
}

fn check_same(one: &Schedule, other: &Schedule, after: Timestamp) {
    assert_eq!(steps(one, after), steps(other, after), "read twice, due otherwise");
    assert_eq!(one.preview(after, STEPS), other.preview(after, STEPS));
    assert_eq!(one.description(), other.description());
    assert_eq!(one.warnings(), other.warnings());
}

fn check_schedule(case: &Case, schedule: &Schedule) {
    assert!(case.terms.text.len() <= SCHEDULE_BYTES_MAX, "a text that is too long was accepted");
    check_words(schedule);
    let after = case.after;
    let dues = steps(schedule, after);
    check_steps(schedule, after, &dues);
    check_openings(case, schedule, after, &dues);
    check_preview(schedule, after);
    check_remaining(schedule, after, &dues);
    oracle::check(case, schedule, &dues);
    if let Some(last) = dues.last() {
        check_stretches(schedule, after, &dues);
        check_last(case, schedule, after, &dues);
        check_preview(schedule, *last);
    } else {
        assert_eq!(schedule.stretch(after, Timestamp::MAX, 9), None, "counted what is not due");
        assert_eq!(schedule.last_through(after, Timestamp::MAX), None, "the last of none");
    }
}

fn check_words(schedule: &Schedule) {
    let description = schedule.description();
    for sentence in schedule.warnings().iter().chain([&description]) {
        assert!(!sentence.is_empty(), "an empty sentence");
    }
}

/// The next occurrences.
pub(crate) fn steps(schedule: &Schedule, after: Timestamp) -> Vec<Timestamp> {
    let next = |last: &Timestamp| schedule.next_after(*last);
    std::iter::successors(schedule.next_after(after), next).take(STEPS).collect()
}

/// They ascend, and each is found from everywhere between it and the one before.
fn check_steps(schedule: &Schedule, after: Timestamp, dues: &[Timestamp]) {
    assert!(dues.is_empty() || !schedule.is_at_boot(), "a start of the machine has an instant");
    let mut before = after;
    for due in dues {
        assert!(*due > before, "{due} is due after {before}");
        for from in [nanosecond_before(*due), middle(before, *due)] {
            assert_eq!(
                schedule.next_after(from),
                Some(*due),
                "after {from}, which is after {before}"
            );
        }
        before = *due;
    }
}

fn nanosecond_before(at: Timestamp) -> Timestamp {
    at.checked_sub(Duration::from_nanos(1)).expect("it is later than something")
}

fn middle(from: Timestamp, to: Timestamp) -> Timestamp {
    let nanos = from.as_nanosecond() + (to.as_nanosecond() - from.as_nanosecond()) / 2;
    Timestamp::from_nanosecond(nanos).expect("it lies between two instants")
}

/// A stretch counts what was found step by step, up to any limit.
fn check_stretches(schedule: &Schedule, after: Timestamp, dues: &[Timestamp]) {
    let last = dues[dues.len() - 1];
    let found = u64::try_from(dues.len()).expect("few");
    for limit in [1, found.div_ceil(2), found, found + 1, u64::MAX] {
        let count = limit.min(found);
        let expected = Span {
            first: dues[0],
            last: dues[usize::try_from(count - 1).expect("few")],
            count,
            complete: count == found,
        };
        let span = schedule.stretch(after, last, limit);
        assert_eq!(span, Some(expected), "in ({after}, {last}] with limit {limit}");
    }
    assert_eq!(schedule.stretch(after, last, 0), None, "counted with limit 0");
    assert_eq!(schedule.stretch(last, last, 9), None, "counted in nothing");
}

fn check_last(case: &Case, schedule: &Schedule, after: Timestamp, dues: &[Timestamp]) {
    for (index, due) in dues.iter().enumerate().step_by(SPARSE) {
        let before = index.checked_sub(1).map(|before| dues[before]);
        let just_before = nanosecond_before(*due);
        assert_eq!(schedule.last_through(after, just_before), before, "before {due}");
        assert_eq!(schedule.last_through(after, *due), Some(*due));
    }
    // There is no further one, so it is the last until the end of time. A search through calendars gives up before that,
    // so one that begins later may find more.
    if dues.len() < STEPS && case.terms.calendars.is_empty() {
        assert_eq!(schedule.last_through(after, Timestamp::MAX), dues.last().copied());
    }
}

/// Windows open when the occurrence is due or later, and before the next one is.
fn check_openings(case: &Case, schedule: &Schedule, after: Timestamp, dues: &[Timestamp]) {
    let jitter = case.terms.jitter.as_ref().map_or(Duration::ZERO, |jitter| jitter.span);
    for due in dues {
        let opens = schedule.opens_at(*due);
        assert_eq!(schedule.opening(*due), Opening { due_at: *due, opens_at: opens });
        assert!(*due <= opens, "{due} opens at {opens}");
        assert!(opens == *due || opens.duration_since(*due) < jitter, "{due} opens at {opens}");
        let next = schedule.next_after(*due);
        assert!(next.is_none_or(|next| opens < next), "{due} opens at {opens}, next {next:?}");
    }
    for (index, due) in dues.iter().enumerate().step_by(SPARSE) {
        let before = index.checked_sub(1).map_or(after, |before| dues[before]);
        check_opened(schedule, after, before, *due);
    }
}

/// What is told to have opened has, and nothing else; `before` is the occurrence before the one that is due.
fn check_opened(schedule: &Schedule, after: Timestamp, before: Timestamp, due: Timestamp) {
    let opens = schedule.opens_at(due);
    let through = schedule.opened_through(after, opens);
    assert!(due <= through && through <= opens, "{due} has opened, told is {through}");
    if opens > due {
        let through = schedule.opened_through(after, due);
        assert!(before <= through && through < due, "{due} waits, told is {through}");
    }
}

fn check_preview(schedule: &Schedule, from: Timestamp) {
    // An interval's list begins with what is due at the instant itself.
    let after =
        if schedule.is_cron() || from == Timestamp::MIN { from } else { nanosecond_before(from) };
    let expected: Vec<Opening> =
        steps(schedule, after).into_iter().map(|due| schedule.opening(due)).collect();
    let preview = schedule.preview(from, STEPS);
    assert_eq!(preview.next, expected, "previewed from {from}");
    assert!(preview.warnings.iter().all(|sentence| !sentence.is_empty()), "an empty sentence");
}

/// Each occurrence takes at least one of those that are left.
fn check_remaining(schedule: &Schedule, after: Timestamp, dues: &[Timestamp]) {
    let left = |after| match schedule.remaining_after(after) {
        Remaining::Count(count) => Some(count),
        Remaining::Unlimited => None,
    };
    let all = schedule.is_repeating_count();
    let mut before = left(after);
    assert_eq!(before.is_some(), all.is_some(), "what is left has no whole");
    assert!(before <= all, "more are left than there are");
    for due in dues {
        let now = left(*due);
        assert!(now.is_none() || now < before, "{due} is due and {now:?} of {before:?} are left");
        before = now;
    }
}
