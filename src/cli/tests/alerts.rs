//! `incidents`, `incident`, `notifications` and `notify`; `job silence` and `unsilence`.

use clap::Parser as _;
use expect_test::expect;
use serde_json::{Value, json};

use super::verbs::{is_said, say};
use super::{Cli, put, type_in};
use crate::api::testing::Fixture;
use crate::cli::CliError;

const AT: &str = "2030-01-01T00:00:00.000Z";
const LATER: &str = "2030-01-01T01:00:00.000Z";

fn by(reason: &str) -> Value {
    json!({"by": "ada", "at": AT, "reason": reason})
}

/// An incident of one job, of which nothing more is known.
fn incident(id: &str) -> Value {
    json!({
        "id": id, "key": {"job": "re\u{202e}port"}, "kind": "failed", "state": "open", "openedAt": AT, "lastAt": LATER,
        "closedAt": null, "alerts": 1, "untold": 0, "jobs": ["re\u{202e}port"], "jobsLeftOut": 0, "told": [],
        "toldAt": null, "acknowledged": null, "silence": null, "latest": [], "notifications": [],
    })
}

/// One of a cause that hits more jobs than are named, told to more people than are named.
fn outage() -> Value {
    let mut outage = incident("i1");
    outage["key"] = json!({"cause": "agent a1"});
    outage["kind"] = "agentLost".into();
    outage["jobs"] = json!(["a", "b", "c", "d"]);
    outage["jobsLeftOut"] = 7.into();
    outage["alerts"] = 11.into();
    let told = ["ada", "grace", "barbara", "donald"];
    outage["told"] =
        told.map(|it| json!({"channel": "mail", "recipient": it})).into_iter().collect();
    outage
}

fn notification(id: &str) -> Value {
    json!({
        "id": id, "channel": "mail", "recipient": "ada@example.org", "kind": "digest", "incident": "i1", "alerts": 2,
        "leftOut": 0, "jobs": ["a"], "jobsLeftOut": 2, "state": "due", "madeAt": AT, "until": null,
        "nextTryAt": LATER, "deliveredAt": null, "givenUpAt": null, "tries": 3, "problem": "no route",
    })
}

#[test]
fn incidents_are_listed_with_what_they_are_about_and_who_was_told() {
    let page = json!({"next": null, "incidents": [incident("i2"), outage()]});
    is_said(
        &["incidents"],
        page.clone(),
        &expect![[r#"
        > GET /incidents?state=open&limit=20
        INCIDENT  STATE  SINCE                     WHAT       ABOUT                         ALERTS  TOLD
        i2        open   2030-01-01T00:00:00.000Z  failed     re\u{202e}port                1       -
        i1        open   2030-01-01T00:00:00.000Z  agentLost  agent a1: a, b, c and 8 more  11      mail to ada, mail to grace, mail to barbara and 1 more
    "#]],
    );
    let mut page_of_job = json!({"next": "i2", "incidents": [incident("i2")]});
    page_of_job["silence"] = by("known");
    page_of_job["silence"]["until"] = LATER.into();
    is_said(
        &["incidents", "--job", "re port", "--closed", "--limit=1"],
        page_of_job,
        &expect![[r#"
            > GET /incidents?state=closed&limit=1&job=re%20port
            INCIDENT  STATE  SINCE                     WHAT    ABOUT           ALERTS  TOLD
            i2        open   2030-01-01T00:00:00.000Z  failed  re\u{202e}port  1       -
            ! nobody is told of re port until 2030-01-01T01:00:00.000Z
            ! there are more; ask for them with a larger `--limit`
        "#]],
    );
    is_said(
        &["incidents", "--all", "--json"],
        json!({"incidents": []}),
        &expect![[r#"
        > GET /incidents?state=all&limit=20
        {"incidents":[]}
    "#]],
    );
}

#[test]
fn an_incident_is_shown_with_its_alerts_and_messages() {
    let mut shown = outage();
    shown["state"] = "silenced".into();
    shown["untold"] = 4.into();
    shown["toldAt"] = LATER.into();
    shown["acknowledged"] = by("");
    shown["silence"] = by("rack is moved");
    shown["silence"]["until"] = LATER.into();
    shown["latest"] = json!([
        {"id": "a1", "kind": "lost", "at": AT, "job": "a", "run": "j1-m1", "reason": "agent is gone"},
        {"id": "a2", "kind": "lost", "at": AT, "job": null, "run": null, "reason": "\u{1b}[2J"},
    ]);
    let mut held = notification("n2");
    held["state"] = "delivered".into();
    held["nextTryAt"] = Value::Null;
    held["deliveredAt"] = AT.into();
    held["channel"] = "slack".into();
    held["recipient"] = "".into();
    held["problem"] = "".into();
    shown["notifications"] = json!([notification("n1"), held]);
    is_said(
        &["incident", "show", "i1"],
        shown,
        &expect![[r#"
        > GET /incident/i1
        incident      i1
        what          agentLost
        about         agent a1: a, b, c and 8 more
        state         silenced
        since         2030-01-01T00:00:00.000Z
        last alert    2030-01-01T01:00:00.000Z
        alerts        11, of which 4 were not told
        told          mail to ada, mail to grace, mail to barbara and 1 more
        told at       2030-01-01T01:00:00.000Z
        acknowledged  by ada at 2030-01-01T00:00:00.000Z
        silenced      until 2030-01-01T01:00:00.000Z, by ada at 2030-01-01T00:00:00.000Z: rack is moved

        ALERT AT                  WHAT  JOB  RUN    REASON
        2030-01-01T00:00:00.000Z  lost  a    j1-m1  agent is gone
        2030-01-01T00:00:00.000Z  lost  -    -      \u{1b}[2J

        MESSAGE  STATE      WHEN                      WHAT    TO                       JOBS          TRIES  PROBLEM
        n1       due        2030-01-01T01:00:00.000Z  digest  mail to ada@example.org  a and 2 more  3      no route
        n2       delivered  2030-01-01T00:00:00.000Z  digest  slack                    a and 2 more  3      -
    "#]],
    );
    // What is not known is not said.
    is_said(
        &["incident", "show", "i/2"],
        incident("i2"),
        &expect![[r#"
        > GET /incident/i%2F2
        incident      i2
        what          failed
        about         re\u{202e}port
        state         open
        since         2030-01-01T00:00:00.000Z
        last alert    2030-01-01T01:00:00.000Z
        alerts        1
    "#]],
    );
}

#[test]
fn an_incident_is_looked_after_silenced_and_told_of_again() {
    let mut silenced = json!({"id": "i1", "silence": by("")});
    silenced["silence"]["until"] = LATER.into();
    is_said(
        &["incident", "acknowledge", "i1", "--reason", "on it"],
        json!({"id": "i1"}),
        &expect![[r#"
            > POST /incident/i1/acknowledge {"reason":"on it"}
            i1 is looked after: nobody is told of it until it is put right
        "#]],
    );
    is_said(
        &["incident", "silence", "i1", "--for", "PT1H"],
        silenced.clone(),
        &expect![[r#"
        > POST /incident/i1/silence {"for":"PT1H"}
        nobody is told of i1 until 2030-01-01T01:00:00.000Z
    "#]],
    );
    is_said(
        &["incident", "silence", "i1", "--until", "2030-01-01T02:00:00+01:00", "--reason=x"],
        silenced,
        &expect![[r#"
            > POST /incident/i1/silence {"until":"2030-01-01T01:00:00Z","reason":"x"}
            nobody is told of i1 until 2030-01-01T01:00:00.000Z
        "#]],
    );
    is_said(
        &["incident", "unsilence", "i1"],
        json!({"id": "i1", "silence": null}),
        &expect![[r#"
            > POST /incident/i1/unsilence {}
            people are told of i1 again
        "#]],
    );
    is_said(
        &["job", "silence", "a b", "--for=PT1H"],
        json!({"job": "a b", "silence": {"until": LATER}}),
        &expect![[r#"
            > POST /silence {"job":"a b","for":"PT1H"}
            nobody is told of a b until 2030-01-01T01:00:00.000Z
        "#]],
    );
    is_said(
        &["job", "unsilence", "a b", "--reason=done", "--json"],
        json!({"job": "a b", "silence": null}),
        &expect![[r#"
            > POST /unsilence {"job":"a b","reason":"done"}
            {"job":"a b","silence":null}
        "#]],
    );
    for words in [
        &["incident", "silence", "i1"][..],
        &["incident", "silence", "i1", "--until=soon"],
        &["incident", "silence", "i1", "--for=PT1H", "--until=2030-01-01T00:00:00Z"],
        &["job", "silence", "a"],
        &["job", "silence", "a/b", "--for=PT1H"],
        &["incidents", "--closed", "--all"],
        &["incidents", "--limit=201"],
        &["notifications", "--state=great"],
        &["notifications", "--state=given-up"],
    ] {
        let typed = Cli::try_parse_from([&["chronode"], words].concat());
        assert_eq!(typed.unwrap_err().exit_code(), 2, "{words:?}");
    }
}

#[test]
fn messages_are_listed_and_sent_again() {
    let mut given_up = notification("n0");
    given_up["state"] = "givenUp".into();
    given_up["nextTryAt"] = Value::Null;
    given_up["givenUpAt"] = AT.into();
    let page = json!({"next": "n0", "notifications": [notification("n1"), given_up]});
    is_said(
        &["notifications"],
        page,
        &expect![[r#"
        > GET /notifications?state=all&limit=20
        MESSAGE  STATE    WHEN                      WHAT    TO                       JOBS          TRIES  PROBLEM
        n1       due      2030-01-01T01:00:00.000Z  digest  mail to ada@example.org  a and 2 more  3      no route
        n0       givenUp  2030-01-01T00:00:00.000Z  digest  mail to ada@example.org  a and 2 more  3      no route
        ! there are more; ask for them with a larger `--limit`
    "#]],
    );
    is_said(
        &["notifications", "--state", "givenUp", "--channel", "a&b", "--limit=5", "--json"],
        json!({"notifications": []}),
        &expect![[r#"
            > GET /notifications?state=givenUp&limit=5&channel=a%26b
            {"notifications":[]}
        "#]],
    );
    is_said(
        &["notify", "retry", "n1", "--reason=mended"],
        notification("n1"),
        &expect![[r#"
        > POST /notification/n1/retry {"reason":"mended"}
        n1 is sent at once: mail to ada@example.org
    "#]],
    );
}

#[test]
fn channels_are_listed_with_what_is_wrong_with_them() {
    let mail = json!({
        "name": "mail", "kind": "mail", "to": "smtp.example.org:25", "problem": "no route", "failingSince": AT, "due": 4,
    });
    let slack = json!({
        "name": "slack", "kind": "slack", "to": "hooks.example.org", "problem": null, "failingSince": null, "due": 0,
    });
    is_said(
        &["notify", "channels"],
        json!({"channels": [mail, slack]}),
        &expect![[r#"
        > GET /channels
        CHANNEL  KIND   TO                   DUE  FAILING SINCE             PROBLEM
        mail     mail   smtp.example.org:25  4    2030-01-01T00:00:00.000Z  no route
        slack    slack  hooks.example.org    0    -                         -
    "#]],
    );
}

fn tried(channel: &str, recipient: &str, problem: Option<&str>) -> Value {
    let said = problem.is_none().then_some("250 2.0.0 Ok");
    json!({
        "channel": channel, "recipient": recipient, "arrived": problem.is_none(), "said": said, "problem": problem,
    })
}

#[test]
fn a_test_is_one_line_for_each_message_and_fails_unless_all_arrive() {
    let all =
        json!({"results": [tried("mail", "ada@example.org", None), tried("slack", "", None)]});
    is_said(
        &["notify", "test"],
        all.clone(),
        &expect![[r#"
        > POST /channels/test {}
        mail to ada@example.org arrived: 250 2.0.0 Ok
        slack arrived: 250 2.0.0 Ok
    "#]],
    );
    is_said(
        &["notify", "test", "--channel=mail", "--recipient=ada@example.org", "--json"],
        all,
        &expect![[r#"
            > POST /channels/test {"channel":"mail","recipient":"ada@example.org"}
            {"results":[{"channel":"mail","recipient":"ada@example.org","arrived":true,"said":"250 2.0.0 Ok","problem":null},{"channel":"slack","recipient":"","arrived":true,"said":"250 2.0.0 Ok","problem":null}]}
        "#]],
    );
    let some =
        json!({"results": [tried("mail", "ada", Some("550 \u{7}no")), tried("slack", "", None)]});
    for (more, out) in [
        (
            &[][..],
            "mail to ada did not arrive: 550 \\u{7}no\nslack arrived: 250 2.0.0 Ok\n".to_owned(),
        ),
        (&["--json"], format!("{some}\n")),
    ] {
        let words = [&["notify", "test"], more].concat();
        let (outcome, asked) = say(&words, vec![("200 OK", some.clone())]);
        assert_eq!(asked, ["POST /channels/test {}"]);
        assert_eq!(outcome.out, out);
        assert_eq!(outcome.failure(), "1 of 2 messages did not arrive");
        assert!(matches!(outcome.result, Err(CliError::Failed(_))));
    }
}

#[tokio::test]
async fn what_cannot_be_is_said_in_the_servers_words() {
    let fixture = Fixture::start().await;
    put(&fixture, super::JOB).await.result.unwrap();
    for (words, told) in [
        (
            &["incident", "show", "i99"][..],
            "incident `i99` not found: `incidents` lists those that are kept",
        ),
        (&["incident", "acknowledge", "x"], "incident `x` not found"),
        (
            &["incident", "silence", "i99", "--for=soon"],
            "write an ISO 8601 period, such as `PT1H` for an hour",
        ),
        (&["job", "silence", "nobody", "--for=PT1H"], "not found"),
        (
            &["notify", "retry", "n99"],
            "no notification `n99` is to be sent, or was given up lately",
        ),
        (&["notify", "test", "--channel=pager"], "configured"),
    ] {
        let outcome = type_in(&fixture, words).await;
        assert!(outcome.failure().contains(told), "{words:?}: {}", outcome.failure());
        assert_eq!(outcome.out, "", "{words:?}");
    }
    let listed = type_in(&fixture, &["incidents"]).await;
    assert_eq!(listed.out, "INCIDENT  STATE  SINCE  WHAT  ABOUT  ALERTS  TOLD\n");
    let listed = type_in(&fixture, &["notifications", "--state=pending"]).await;
    assert_eq!(listed.out, "MESSAGE  STATE  WHEN  WHAT  TO  JOBS  TRIES  PROBLEM\n");
}
