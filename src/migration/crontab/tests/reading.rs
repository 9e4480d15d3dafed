//! Tables as cron reads them. `tests/crontab.rs` asks the daemon the same.

use crate::migration::crontab::table::{Entry, Format, Item, Split, read, split};

fn system(text: &str) -> Vec<Item> {
    read(text, &Format::System)
}

fn entries(text: &str) -> Vec<Entry> {
    let items = system(text).into_iter();
    items
        .map(|item| match item {
            Item::Entry(entry) => entry,
            Item::Refused { line, why, .. } => panic!("line {line}: cron {why}"),
        })
        .collect()
}

fn setting(line: &str) -> Option<(String, String)> {
    let found = system(&format!("{line}\n* * * * * root true\n"));
    found.into_iter().find_map(|item| match item {
        Item::Entry(entry) => entry.environment.into_iter().next(),
        Item::Refused { .. } => None,
    })
}

#[test]
fn settings_are_read_with_their_quotes_and_blanks() {
    for (line, name, value) in [
        ("A=b", "A", "b"),
        ("  A = x y  ", "A", "x y"),
        ("A=\"  q # w \"", "A", "  q # w "),
        ("A='it'", "A", "it"),
        ("A=a\"b\"c", "A", "a\"b\"c"),
        ("'F G' = h", "F G", "h"),
        ("A=\"\"", "A", ""),
        ("MAILTO=a@example.org, b@example.org", "MAILTO", "a@example.org, b@example.org"),
        ("A=b=c", "A", "b=c"),
        ("A= # no comment", "A", "# no comment"),
    ] {
        assert_eq!(setting(line), Some((name.to_owned(), value.to_owned())), "{line}");
    }
    for line in ["A=\"b\" c", "A b=c", "A=\"b", "A="] {
        assert_eq!(setting(line), None, "{line}");
    }
}

#[test]
fn a_setting_holds_for_what_is_below_it() {
    let found = entries("A=1\n* * * * * root one\nA=2\nB=3\n* * * * * root two\n");
    let pairs = |index: usize| -> Vec<String> {
        found[index].environment.iter().map(|(name, value)| format!("{name}={value}")).collect()
    };
    assert_eq!(pairs(0), ["A=1"]);
    assert_eq!(pairs(1), ["A=2", "B=3"]);
}

#[test]
fn comments_directly_above_belong_to_a_line() {
    let found = entries(
        "# the file\n\n# the job\n#  and more\n5 4 * * *\troot  run it  \n* * * * * root other # none\n",
    );
    assert_eq!(found[0].comment, ["the job", "and more"]);
    assert_eq!((found[0].line, found[0].when.as_str()), (5, "5 4 * * *"));
    assert_eq!((found[0].user.as_str(), found[0].command.as_str()), ("root", "run it  "));
    assert_eq!(found[1].comment, [""; 0]);
    assert_eq!(found[1].command, "other # none");
}

#[test]
fn the_table_of_a_user_names_none() {
    let found = read("@daily run it\n", &Format::User("ann".to_owned()));
    let [Item::Entry(entry)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (entry.when.as_str(), entry.user.as_str(), entry.command.as_str()),
        ("@daily", "ann", "run it")
    );
}

#[test]
fn what_cron_gives_up_is_told_with_its_line() {
    for (text, expected) in [
        ("* * * root true\n", "finds no user in it"),
        ("* * * *\n", "finds fewer than five fields in it"),
        ("* * * * *\n", "finds no user in it"),
        ("@daily root\n", "takes `root` for the user and finds no command in it"),
        ("* * * * * root true", "wants a line break at the end of the last line"),
    ] {
        let found = system(text);
        let [Item::Refused { line: 1, why, .. }] = &found[..] else { panic!("{text}: {found:?}") };
        assert_eq!(why, expected, "{text}");
    }
}

#[test]
fn what_follows_a_percent_sign_is_read_by_the_command() {
    for (typed, command, input) in [
        ("mail -s hello root%Dear%%root,\\%", "mail -s hello root", Some("Dear\n\nroot,%\n")),
        (r"date +\%F", "date +%F", None),
        ("cat%", "cat", Some("")),
        (r"printf 'a\tb'", r"printf 'a\tb'", None),
        (r"cat%a\b\", "cat", Some("a\\b\\\n")),
        ("cat%a%", "cat", Some("a\n")),
    ] {
        let expected = Split { command: command.to_owned(), input: input.map(str::to_owned) };
        assert_eq!(split(typed), expected, "{typed}");
    }
}
