//! `job history`, `job diff`, `job rollback`.

use super::{put, type_in};
use crate::api::testing::{Fixture, name};

const HEAD: &str = r#""name":"night ly","schedule":"R/2030-01-01T00:00:00Z/P1D""#;

fn with(command: &str, token: &str) -> String {
    let variable = format!(r#"{{"name":"T","value":"{token}","secret":true}}"#);
    format!(r#"{{{HEAD},"command":"{command}","environmentVariables":[{variable}]}}"#)
}

#[tokio::test]
async fn definitions_are_listed_compared_and_brought_back() {
    let fixture = Fixture::start().await;
    for (command, token) in [("one", "hush-1"), ("two", "hush-1"), ("two", "hush-2")] {
        put(&fixture, &with(command, token)).await.result.unwrap();
    }
    let listed = type_in(&fixture, &["job", "history", "night ly", "--limit=2"]).await;
    let expected = "REVISION  ACCEPTED                  STATE     CHANGED\n\
                    1.3       2030-01-01T00:00:00.000Z  present   environmentVariables\n\
                    1.2       2030-01-01T00:00:00.000Z  replaced  command\n";
    assert_eq!(listed.out, expected);
    assert!(listed.err.contains("larger `--limit`"), "{}", listed.err);

    let compared = type_in(&fixture, &["job", "diff", "night ly", "1"]).await;
    let expected = "--- revision 1.1, accepted 2030-01-01T00:00:00.000Z\n\
                    +++ revision 1.3, accepted 2030-01-01T00:00:00.000Z\n\
                    command\n  - \"one\"\n  + \"two\"\n\
                    environmentVariables[0].value\n  a secret, which is another one\n";
    assert_eq!(compared.out, expected);
    let same = type_in(&fixture, &["job", "diff", "night ly", "1", "1.1"]).await;
    assert!(same.out.ends_with("no difference\n"), "{}", same.out);
    let json = type_in(&fixture, &["job", "diff", "night ly", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["changes"][0]["secret"], true);

    let dry = type_in(&fixture, &["job", "rollback", "night ly", "1", "--dry-run"]).await;
    let expected = "would roll back night ly to revision 1\ncommand\n  - \"two\"\n  + \"one\"\n\
                    environmentVariables[0].value\n  a secret, which is another one\n";
    assert_eq!(dry.out, expected);
    let command = || fixture.memory.world().jobs[&name("night ly")].job.command.clone();
    assert_eq!(command(), "two");
    let done = type_in(&fixture, &["job", "rollback", "night ly", "1"]).await;
    assert_eq!(done.out, "rolled back night ly to revision 1\n");
    assert_eq!(command(), "one");

    type_in(&fixture, &["job", "delete", "night ly"]).await.result.unwrap();
    let listed = type_in(&fixture, &["job", "history", "night ly"]).await;
    assert!(
        listed.out.contains("\n1.4       2030-01-01T00:00:00.000Z  deleted  -\n"),
        "{}",
        listed.out
    );
    let dry = type_in(&fixture, &["job", "rollback", "night ly", "4", "--dry-run"]).await;
    assert_eq!(dry.out, "would bring back night ly to revision 4\n");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_servers_words() {
    let fixture = Fixture::start().await;
    let unknown = type_in(&fixture, &["job", "history", "nobody"]).await;
    assert!(unknown.failure().contains("job `nobody` not found"), "{}", unknown.failure());
    put(&fixture, &with("one", "hush")).await.result.unwrap();
    let unknown = type_in(&fixture, &["job", "rollback", "night ly", "5"]).await;
    assert!(unknown.failure().contains("revision 1.5 of job `night ly` not found"));
    let wrong = type_in(&fixture, &["job", "diff", "night ly", "first"]).await;
    assert!(wrong.failure().contains("invalid `from`"), "{}", wrong.failure());
}
