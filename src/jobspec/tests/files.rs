//! Job files: every problem has its line, and one bad job does not stop the others.

use expect_test::{Expect, expect};

use super::parse_period;
use crate::jobspec::{FileReading, read_file};
use crate::model::When;

fn reading(text: &str) -> FileReading {
    read_file("jobs/a.yaml", text, &parse_period)
}

/// The jobs, their warnings and the problems of a file.
fn check(text: &str, expected: &Expect) {
    let FileReading { source: _, jobs, problems } = reading(text);
    let mut out = String::new();
    for job in &jobs {
        out += &format!("job {} on line {}\n", job.draft.name, job.line);
        for warning in &job.warnings {
            out += &format!("  {warning}\n");
        }
    }
    for problem in &problems {
        out += &format!("{problem}\n");
    }
    expected.assert_eq(&out);
}

#[test]
fn one_job_is_read_like_its_json() {
    let text = "
# Every night.
name: nightly-report
command: |
  cd /opt/report
  ./run.sh --full
schedule: R/2030-01-01T02:30:00Z/P1D
scheduleTimeZone: Europe/Berlin
retries: 0x3
cpus: .25
mem: 256
disabled: False
epsilon: PT5M
owner: ~
environmentVariables:
  - {name: STAGE, value: 1.10}
  - {name: ANSWER, value: yes}
  - {name: ZIP, value: 01234}
  - {name: EMPTY, value: ''}
constraints: [[rack, LIKE, 'r-[12]']]
overlap: {queue: 2}
";
    let job = reading(text).jobs.remove(0);
    let json = serde_json::json!({
        "name": "nightly-report", "command": "cd /opt/report\n./run.sh --full\n",
        "schedule": "R/2030-01-01T02:30:00Z/P1D", "scheduleTimeZone": "Europe/Berlin",
        "retries": 3, "cpus": 0.25, "mem": 256, "disabled": false, "epsilon": "PT5M",
        "environmentVariables": [
            {"name": "STAGE", "value": "1.10"}, {"name": "ANSWER", "value": "yes"},
            {"name": "ZIP", "value": "01234"}, {"name": "EMPTY", "value": ""},
        ],
        "constraints": [["rack", "LIKE", "r-[12]"]], "overlap": {"queue": 2},
    });
    assert_eq!(job.draft, super::draft(&json));
    assert_eq!((job.line, job.warnings.len()), (3, 0));
}

#[test]
fn what_a_job_says_about_its_runs_is_read_like_its_json() {
    let text = "
name: child
parents: [a, b]
triggerRule: all-done
join: due
timeout: PT10M
retryDelay: PT30S
retryBackoff: {factor: 1.5, max: PT60M, jitter: .25}
retryOn:
  - 0x4B
  - 1
retryUntil: PT360M
killGrace: PT5S
disableAfterFailures: 3
priority: high
overlap: {allow: 4}
catchUp: {all: 7}
onUnknown: {wait: PT5M, then: relaunch}
";
    let job = reading(text).jobs.remove(0);
    let json = serde_json::json!({
        "name": "child", "parents": ["a", "b"], "triggerRule": "all-done", "join": "due",
        "timeout": "PT10M", "retryDelay": "PT30S",
        "retryBackoff": {"factor": 1.5, "max": "PT60M", "jitter": 0.25}, "retryOn": [75, 1],
        "retryUntil": "PT360M", "killGrace": "PT5S", "disableAfterFailures": 3,
        "priority": "high", "overlap": {"allow": 4}, "catchUp": {"all": 7},
        "onUnknown": {"wait": "PT5M", "then": "relaunch"},
    });
    assert_eq!(job.draft, super::draft(&json));
    check(
        "\
name: a
schedule: 0 2 * * *
join: due
retryBackoff:
  factor: 0
  cap: PT1H
retryOn: [75, 0]
---
name: b
triggerRule: any-failed
retryBackoff: {cap: PT1H}
",
        &expect![[r"
            job b on line 9
              jobs/a.yaml:11:16: unknown field `retryBackoff.cap` has no effect
              jobs/a.yaml:10:1: `triggerRule` has no effect: the job has no `parents`
            jobs/a.yaml:5:3: `retryBackoff.factor` is `0`, which is less than 1: write a number from 1 to 1000, or leave it out
            jobs/a.yaml:7:15: `retryOn[1]` is `0`, which is less than 1: write 1 or more
        "]],
    );
}

#[test]
fn terms_of_a_schedule_are_texts_whatever_yaml_could_take_them_for() {
    let text = "\
name: a
schedule: 30 2 * * *
dst: {gap: skip}
jitter: PT10M
notBefore: 2026-01-01
calendars:
  - name: closed
    use: neverIn
    dates: [12-25, 2026-12-31/2027-01-01]
    windows:
      - 22:00/06:00
";
    let json = serde_json::json!({
        "name": "a", "schedule": "30 2 * * *", "dst": {"gap": "skip"}, "jitter": "PT10M",
        "notBefore": "2026-01-01",
        "calendars": [{
            "name": "closed", "use": "neverIn", "dates": ["12-25", "2026-12-31/2027-01-01"],
            "windows": ["22:00/06:00"],
        }],
    });
    assert_eq!(reading(text).jobs[0].draft, super::draft(&json));
}

#[test]
fn a_bad_job_does_not_stop_the_others() {
    check(
        "\
- name: a
  comand: x
- name: b
  disabled: yes
  fetch:
    - uri: http://x
    - executable: true
- name: c
  schedule: R1//PT1M
  parents: [a]
- name: a
- just a text
- name: d
  command: x
  command: y
",
        &expect![[r#"
            job a on line 1
              jobs/a.yaml:2:3: unknown field `comand` has no effect: did you mean `command`?
            job c on line 8
              jobs/a.yaml:9:3: `schedule` has no effect: the job runs after its `parents`
            jobs/a.yaml:4:3: `disabled` is `yes`, which is neither true nor false: write `true` or `false`, or leave it out
            jobs/a.yaml:7:7: `fetch[1].uri` is missing: give it a text
            jobs/a.yaml:11:3: the job `a` is already defined on line 1: give it another name, or remove one of them
            jobs/a.yaml:12:3: the job is a text: write an object with fields such as `name`, `command`, `shell`, `epsilon`, `executor`
            jobs/a.yaml:15:3: the field `command` is there twice: remove one of them
        "#]],
    );
}

#[test]
fn syntax_errors_have_line_and_column_and_leave_no_jobs() {
    for text in [
        "name: a\ncommand: [x\n",
        "- name: a\n- name: b\n name: c\n",
        "name: 'a\n",
        "name: \"\\q\"\n",
    ] {
        let reading = reading(text);
        assert_eq!((reading.jobs.len(), reading.problems.len()), (0, 1), "{text}");
        let problem = &reading.problems[0];
        assert!(problem.message.starts_with("this is no YAML: "), "{problem}");
        assert!(problem.to_string().starts_with("jobs/a.yaml:"), "{problem}");
        assert!(problem.line <= 4 && problem.column >= 1, "{problem}");
    }
}

#[test]
fn what_yaml_can_say_and_a_job_cannot_is_refused() {
    check(
        "\
- name: a
  <<: {command: x}
- name: b
  command: !secret x
- name: c
  ? [x, y]
  : z
- name: d
  '': z
- name: e
  command: !!str 5
- name: f
  cpus: .nan
",
        &expect![[r#"
            job e on line 10
            jobs/a.yaml:2:3: merge keys (`<<`) are not part of YAML 1.2: write the fields out
            jobs/a.yaml:4:12: the tag `!secret` is not known: remove it
            jobs/a.yaml:6:5: the name of this field is no text: write `field: value`
            jobs/a.yaml:9:3: the name of this field is empty: write `field: value`
            jobs/a.yaml:13:3: `cpus` is `.nan`, which is no number: write a number such as `0.5`, or leave it out
        "#]],
    );
    check(
        "name: a\ncommand: x\0\nretries: x\n",
        &expect![[r#"
        jobs/a.yaml:2:11: the file contains a NUL character: remove it
    "#]],
    );
    check(
        "name: a\nuris: &x [*x]\n",
        &expect![[r#"
        jobs/a.yaml:2:11: an alias stands inside what it stands for: write out what is meant
    "#]],
    );
}

#[test]
fn empty_files_and_documents_hold_no_jobs() {
    for text in ["", "\n", "# nothing\n", "---\n", "[]\n", "~"] {
        let reading = reading(text);
        assert_eq!((reading.jobs.len(), reading.problems.len()), (0, 0), "{text:?}");
    }
    assert_eq!(reading("\u{feff}name: a\n---\n- name: b\n- name: c\n---\n").jobs.len(), 3);
    assert_eq!(reading("just a text").problems.len(), 1);
}

#[test]
fn aliases_are_unfolded_within_bounds() {
    let text = "- name: a\n  environmentVariables: &e\n    - {name: A, value: b}\n\
                - name: b\n  environmentVariables: *e\n  parents: [a]\n";
    let jobs = reading(text).jobs;
    assert_eq!(jobs[0].draft.environment, jobs[1].draft.environment);
    assert!(matches!(jobs[1].draft.when, When::Parents(_)));

    // Ten levels of ten: a billion laughs.
    let mut bomb = "a: &a0 [x]\n".to_owned();
    for level in 1..=10 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("k{level}: &a{level} [{}]\n", vec![before; 10].join(","));
    }
    let reading = reading(&bomb);
    assert_eq!(reading.jobs.len(), 0);
    assert!(reading.problems[0].message.starts_with("the aliases unfold to more than"));
}

#[test]
fn nesting_is_bounded_also_through_aliases() {
    let too_deep = "lists and fields are nested more than 64 deep";
    for text in [
        format!("{}x", "- ".repeat(200_000)),
        "[".repeat(200),
        (0..200).fold(String::new(), |text, level| {
            let inner = if level == 0 { "x".to_owned() } else { format!("*a{}", level - 1) };
            text + &format!("- &a{level} [{inner}]\n")
        }),
    ] {
        assert_eq!(reading(&text).problems[0].message, too_deep);
    }
}

#[test]
fn a_cron_expression_without_quotes_leads_to_the_remedy() {
    for schedule in ["*/5 * * * *", "* * * * *", "@daily"] {
        let reading = reading(&format!("name: a\nschedule: {schedule}\n"));
        let problem = reading.problems[0].to_string();
        assert!(problem.starts_with("jobs/a.yaml:2:"), "{problem}");
        assert!(problem.contains("in quotes"), "{problem}");
    }
}

#[test]
fn a_long_key_is_not_repeated_for_everything_below_it() {
    // Would take gigabytes for the paths alone.
    let text = format!("name: a\n{}: [{}]\n", "k".repeat(500_000), "x,".repeat(200_000));
    assert_eq!(reading(&text).problems.len(), 1);
    let text = format!("name: a\n? {}\n: [{}]\n", "k".repeat(500_000), "x,".repeat(200_000));
    assert_eq!(reading(&text).jobs[0].warnings.len(), 1);
}
