//! Records as they are, and as they were written by earlier releases.

use proptest::prelude::*;

use super::*;
use crate::store::arbitrary;

proptest! {
    #[test]
    fn what_people_are_told_of_comes_back_in_every_field(
        alert in arbitrary::alert(),
        incident in arbitrary::incident(),
        notification in arbitrary::notification(),
        silence in arbitrary::silence(),
        failing in arbitrary::failing(),
    ) {
        prop_assert_eq!(decode_alert(&encode_alert(&alert)), Ok(alert));
        prop_assert_eq!(decode_incident(&encode_incident(&incident)), Ok(incident));
        let text = encode_notification(&notification);
        prop_assert_eq!(decode_notification(&text), Ok(notification));
        prop_assert_eq!(decode_silence(&encode_silence(&silence)), Ok(silence));
        prop_assert_eq!(decode_failing(&encode_failing(&failing)), Ok(failing));
    }

    #[test]
    fn a_definition_comes_back_in_every_field(record in arbitrary::job_record()) {
        let text = encode_definition(
            record.incarnation,
            record.revision,
            record.accepted_at,
            &record.job,
        );
        let read = decode_definition(&text).unwrap();
        prop_assert_eq!(read.incarnation, record.incarnation);
        prop_assert_eq!(read.revision, record.revision);
        prop_assert_eq!(read.accepted_at, record.accepted_at);
        prop_assert_eq!(&read.job, &record.job);
    }

    #[test]
    fn counts_and_progress_come_back_in_every_field(record in arbitrary::job_record()) {
        prop_assert_eq!(decode_stats(&encode_stats(&record.stats)).unwrap(), record.stats);
        let progress = decode_progress(&encode_progress(&record.progress)).unwrap();
        prop_assert_eq!(progress, record.progress);
    }

    #[test]
    fn a_run_comes_back_in_every_field_that_is_stored(run in arbitrary::run()) {
        prop_assert_eq!(decode_run(&encode_run(&run)).unwrap(), run.stored());
    }

    #[test]
    fn a_stretch_comes_back_in_every_field(stretch in arbitrary::stretch()) {
        prop_assert_eq!(decode_stretch(&encode_stretch(&stretch)).unwrap(), stretch);
    }

    #[test]
    fn a_signal_comes_back_in_every_field(signal in arbitrary::signal()) {
        prop_assert_eq!(decode_signal(&encode_signal(&signal)).unwrap(), signal);
    }

    #[test]
    fn what_operators_did_comes_back_in_every_field(
        interventions in arbitrary::interventions(),
        backfill in arbitrary::backfill(),
        pause in arbitrary::pause(),
    ) {
        let text = encode_interventions(&interventions);
        prop_assert_eq!(decode_interventions(&text).unwrap(), interventions);
        prop_assert_eq!(decode_backfill(&encode_backfill(&backfill)).unwrap(), backfill);
        prop_assert_eq!(decode_pause(&encode_pause(&pause)).unwrap(), pause);
    }

    #[test]
    fn an_answer_comes_back_in_every_field(answered in arbitrary::answered()) {
        prop_assert_eq!(decode_answered(&encode_answered(&answered)).unwrap(), answered);
    }

    #[test]
    fn a_zone_comes_back(name in any::<String>(), data in any::<Vec<u8>>()) {
        prop_assert_eq!(decode_zone(&encode_zone(&name, &data)).unwrap(), (name, data));
    }

    #[test]
    fn no_altered_byte_goes_unnoticed(
        stretch in arbitrary::stretch(),
        place in any::<prop::sample::Index>(),
        bit in 0..7_u32,
    ) {
        let mut bytes = encode_stretch(&stretch).into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(decode_stretch(&text).is_err(), "{}", text);
        }
    }
}

#[test]
fn records_of_the_first_version_are_read() {
    use crate::model::{ScheduleTerms, Trigger, When};

    let definition = decode_definition(
        r#"1 5c7412c7e2cc10ba {"incarnation":1,"revision":1,"acceptedAt":"2027-01-15T08:00:00Z","job":{"name":"a","command":"true","shell":true,"when":{"schedule":{"text":"R/2027-01-15T08:00:00Z/P1D","zone":"Europe/Berlin"}},"epsilon":{"text":"PT60S","secs":60},"retries":2,"resources":{"cpuThousandths":0,"memThousandths":0,"diskThousandths":0},"overlap":"skip","catchUp":"none"}}"#,
    );
    let plain = ScheduleTerms::plain("R/2027-01-15T08:00:00Z/P1D", "Europe/Berlin");
    assert_eq!(definition.unwrap().job.when, When::Schedule(plain));
    // A window opened when the run was due.
    let run = decode_run(
        r#"1 7aa79b49fa19479e {"id":"j2-s1800000003000","sequence":3,"job":"b","trigger":{"schedule":{"dueAt":"2027-01-15T08:00:03Z"}},"taskMillis":1800000003000,"createdAt":"2027-01-15T08:00:03Z","state":{"pending":{"deadline":"2027-01-15T08:00:03Z"}}}"#,
    );
    let due_at = Timestamp::from_second(1_800_000_003).unwrap();
    assert_eq!(run.unwrap().trigger, Trigger::Schedule { due_at, opens_at: due_at });
}

/// As the release before version 3 wrote them.
#[test]
fn records_of_the_second_version_are_read() {
    use crate::model::{
        Alarm, CatchUp, OnUnknown, Overlap, ParentTerms, RetryTerms, RunState, When,
    };

    let definition = decode_definition(
        r#"2 7f86c13ebdf59221 {"incarnation":3,"revision":1,"acceptedAt":"2027-01-15T08:00:00Z","job":{"name":"c","command":"true","shell":true,"when":{"parents":["a","b"]},"epsilon":{"text":"PT60S","secs":60},"retries":2,"resources":{"cpuThousandths":0,"memThousandths":0,"diskThousandths":0},"highPriority":true,"overlap":"allow","catchUp":"latest"}}"#,
    );
    let job = definition.unwrap().job;
    let names = ["a", "b"].map(|name| JobName::parse(name, NameRule::Blanks).unwrap());
    assert_eq!(job.when, When::Parents(ParentTerms::plain(names.to_vec())));
    assert_eq!(job.priority, Priority::High);
    assert_eq!((job.overlap, job.catch_up), (Overlap::Allow { max: None }, CatchUp::Latest));
    assert_eq!((job.retry, job.on_unknown), (RetryTerms::default(), OnUnknown::default()));
    assert_eq!((job.kill_grace, job.disable_after_failures), (None, None));
    let run = decode_run(
        r#"2 34699946232b0cd5 {"id":"j3-s1800000004000","sequence":4,"job":"c","trigger":{"schedule":{"dueAt":"2027-01-15T08:00:04Z"}},"taskMillis":1800000004000,"createdAt":"2027-01-15T08:00:04Z","state":{"waiting":{"retryAt":"2027-01-15T08:01:03Z"}},"attempts":[{"index":0,"taskId":"ct:1:0:c:","agent":"local","launchedAt":"2027-01-15T08:00:04Z","state":{"ended":{"startedAt":"2027-01-15T08:00:04Z","at":"2027-01-15T08:00:05Z","exit":{"code":75},"message":"exit code 75"}}}]}"#,
    );
    let run = run.unwrap();
    let at = Timestamp::from_second(1_800_000_063).unwrap();
    assert_eq!(run.state, RunState::Waiting { until: Alarm { at, boot: None } });
    assert_eq!(run.causes, []);
    let progress = decode_progress(
        r#"2 8c342b851dc70a1e {"decidedThrough":"2027-01-15T08:00:00Z","bootId":"3f1c"}"#,
    );
    assert_eq!(progress.unwrap().rounds, []);
}

#[test]
fn a_record_of_a_newer_chronode_is_refused_unread() {
    let newer = format!("{} 0 whatever comes then", VERSION + 1);
    assert_eq!(decode_run(&newer), Err(DecodeError::Newer { found: VERSION + 1 }));
    assert_eq!(decode_stats(&newer), Err(DecodeError::Newer { found: VERSION + 1 }));
}

#[test]
fn what_is_no_record_is_refused() {
    for text in ["", "1", "1 x", "x y z", "0 0 {}", "-1 0 {}", "1 0000000000000000 {}"] {
        assert!(decode_stats(text).is_err(), "{text:?}");
    }
    let unknown_field = r#"{"decidedThrough":"2026-01-01T00:00:00Z","more":1}"#;
    let text = format!("1 {:016x} {unknown_field}", checksum(unknown_field.as_bytes()));
    let error = decode_progress(&text).unwrap_err().to_string();
    assert!(error.contains("unknown field `more`"), "{error}");
}
