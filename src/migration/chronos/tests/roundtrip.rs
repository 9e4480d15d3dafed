//! What Chronos can say goes there and comes back as the same job.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::importing::now;
use crate::jobspec::tests::{record, roundtrip::job};
use crate::jobspec::{Derived, mirror, print, read_as, read_file};
use crate::migration::chronos::{Abilities, Settings, Users, export, import};
use crate::migration::{file_name, is_selected, means_the_same, print_file};
use crate::model::{
    CatchUp, Defaults, Dialect, Fitness, Job, JobDraft, JobName, NameRule, Objectives, OnUnknown,
    Overlap, Period, Priority, RetryTerms, ScheduleTerms, Shadow, When,
};
use crate::schedule::{ZoneDb, parse_period};

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::V0), Just(Dialect::V1)]
}

/// A schedule that begins after [`now`].
fn terms() -> impl Strategy<Value = ScheduleTerms> {
    let count = prop_oneof![Just(String::new()), (0..9_u8).prop_map(|count| count.to_string())];
    let start = prop_oneof![
        Just(String::new()),
        (2027..2040_u16, 1..13_u8, 1..32_u8, 0..24_u8, 0..60_u8).prop_filter_map(
            "a day that is",
            |(year, month, day, hour, minute)| {
                let text = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:00.000Z");
                text.parse::<crate::model::Timestamp>().ok().map(|_| text)
            }
        ),
    ];
    let period = prop_oneof![
        Just("P1D"),
        Just("PT36H"),
        Just("P1W"),
        Just("P1M"),
        Just("P1Y"),
        Just("PT0.5S")
    ];
    let zone = prop_oneof![Just(""), Just("Europe/Berlin"), Just("America/New_York"), Just("UTC")];
    (count, start, period, zone).prop_map(|(count, start, period, zone)| ScheduleTerms {
        text: format!("R{count}/{start}/{period}"),
        zone: zone.to_owned(),
        ..ScheduleTerms::default()
    })
}

/// `job` as far as Chronos can say it, and its local launcher can start it.
fn sayable(mut job: Job, terms: ScheduleTerms, dialect: Dialect) -> Job {
    job.retry = RetryTerms::default();
    job.kill_grace = None;
    job.disable_after_failures = None;
    job.on_unknown = OnUnknown::default();
    job.container = None;
    job.executor = String::new();
    if job.priority == Priority::Low {
        job.priority = Priority::Normal;
    }
    for variable in &mut job.environment {
        variable.secret = false;
    }
    job.shadow = Shadow::Off;
    (job.objectives, job.runbook, job.labels) = (Objectives::default(), String::new(), Vec::new());
    job.resources.ports = 0;
    job.placement = Fitness::Pack;
    job.constraints.retain(|constraint| !constraint.operator.compares_runs());
    // What the two call `uris` is not unpacked alike in 2.5.
    if dialect == Dialect::V0 {
        job.uris = Vec::new();
    }
    // Nothing left means disabled, on both sides.
    job.disabled |= terms.text.starts_with("R0/");
    job.when = When::Schedule(terms);
    match dialect {
        Dialect::V0 => {
            job.max_completion_secs = 0;
            (job.overlap, job.catch_up) = (Overlap::Skip, CatchUp::None);
        }
        Dialect::V1 => {
            let name: String =
                job.name.as_str().chars().map(|c| if " #".contains(c) { '_' } else { c }).collect();
            job.name = JobName::parse(&name, NameRule::NoBlanks).unwrap();
            job.is_async = false;
            job.epsilon = Period { text: "PT60S".to_owned(), span: Defaults::default().epsilon };
            job.catch_up = CatchUp::Latest;
            if !matches!(job.overlap, Overlap::Allow { max: None }) {
                job.overlap = Overlap::Queue { max: 1 };
            }
        }
    }
    job
}

fn read(body: &Value) -> JobDraft {
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let reading = read_as(body, Dialect::V0, NameRule::Blanks, &period);
    reading.unwrap_or_else(|problems| panic!("{body}: {problems:#?}")).draft
}

fn printed(job: &Job, dialect: Dialect) -> Map<String, Value> {
    print(&record(job.clone()), dialect, Derived::default())
}

/// The job that comes back when Chronos was given `job` and lists it.
fn there_and_back(
    job: &Job,
    dialect: Dialect,
    zones: &ZoneDb,
    is_listed: bool,
) -> Map<String, Value> {
    let exported = export(&[Value::Object(printed(job, dialect))], dialect, now(), zones);
    let body = exported.jobs[0].body.clone();
    let mut body = body.unwrap_or_else(|| panic!("{:#?}", exported.jobs[0].findings));
    if is_listed {
        mirror(&mut body, dialect);
    }
    let settings = Settings {
        generation: dialect,
        shadow: false,
        abilities: Abilities::default(),
        users: &Users::new(),
        now: now(),
        zones,
    };
    let mut imported = import(&[Value::Object(body)], "*", &settings);
    let imported = imported.jobs.remove(0);
    imported.body.unwrap_or_else(|| panic!("{:#?}", imported.findings))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_chronos_can_say_comes_back_the_same(
        job in job(), terms in terms(), dialect in dialect(), is_listed in any::<bool>(),
    ) {
        let zones = ZoneDb::bundled();
        let mut job = sayable(job, terms, dialect);
        if is_listed {
            job.uris = Vec::new();
        }
        let back = there_and_back(&job, dialect, &zones, is_listed);
        let draft = read(&Value::Object(back.clone()));
        prop_assert_eq!(draft.clone().resolve(None, Dialect::V0, &Defaults::default()), job);
        // And as a job file.
        let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
        let file = read_file("a.yaml", &print_file(&back, &["line\nbreak".to_owned()]), &period);
        prop_assert_eq!(file.problems, []);
        prop_assert_eq!(&file.jobs[0].draft, &draft);
        prop_assert!(means_the_same(&draft, &draft, now(), &zones));
    }

    #[test]
    fn two_names_never_have_one_file(left in "[A-Za-z0-9_.# -]{1,128}", right in "[A-Za-z0-9_.# -]{1,128}") {
        prop_assert_eq!(left == right, file_name(&left) == file_name(&right));
        prop_assert!(file_name(&left).len() < 256 && !file_name(&left).starts_with('.'));
    }

    #[test]
    fn a_pattern_selects_as_an_expression_does(pattern in "[ab*?]{0,6}", name in "[ab]{0,6}") {
        let expression = format!("^{}$", pattern.replace('*', ".*").replace('?', "."));
        let expected = regex::Regex::new(&expression).unwrap().is_match(&name);
        prop_assert_eq!(is_selected(&pattern, &name), expected, "{} {}", pattern, name);
    }
}

#[test]
fn a_schedule_that_chronos_rewrote_means_the_same() {
    let zones = ZoneDb::bundled();
    let same = |left: &str, right: &str| {
        let draft = |schedule: &str| read(&serde_json::json!({"name": "a", "schedule": schedule}));
        means_the_same(&draft(left), &draft(right), now(), &zones)
    };
    assert!(same("R/2026-11-01T04:00:00Z/P1D", "R/2026-11-20T04:00:00.000Z/P1D"));
    assert!(same("R9/2026-12-01T04:00:00Z/P1D", "R9/2026-12-01T04:00:00.000Z/P1D"));
    assert!(!same("R/2026-11-01T04:00:00Z/P1D", "R/2026-11-01T05:00:00Z/P1D"));
    assert!(!same("R9/2026-12-01T04:00:00Z/P1D", "R8/2026-12-01T04:00:00Z/P1D"));
    assert!(!same("R1/2020-01-01T04:00:00Z/P1D", "R1/2021-01-01T04:00:00Z/P1D"));
}
