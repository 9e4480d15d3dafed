//! Who is told of what.

use std::collections::BTreeSet;

use super::*;

const FAILED: AlertKind = AlertKind::Failed;

fn check(terms: &Terms, kind: AlertKind, job: Option<&AlertJob>, wanted: &[&str]) {
    let found = super::super::routes::addresses(terms, kind, job);
    let found: Vec<String> =
        found.iter().map(|to| format!("{}:{}", to.channel, to.recipient)).collect();
    assert_eq!(found, wanted, "{kind:?} {job:?}");
}

fn with(rules: Vec<Rule>) -> Terms {
    let off = ChannelUse { name: "hook".to_owned(), per_owner: false, is_default: false };
    let routes = Routes { rules, channels: vec![mail(), slack(), off] };
    Terms { routes, operators: vec![target("mail", &["root"])], ..Terms::default() }
}

fn to(target: RouteTarget) -> Rule {
    Rule { to: vec![target], ..Rule::default() }
}

#[test]
fn without_rules_each_default_channel_gets_every_alert() {
    let terms = with(Vec::new());
    check(&terms, FAILED, Some(&job("a", "ops")), &["mail:ops", "slack:"]);
    check(&terms, FAILED, Some(&job("a", "")), &["slack:"]);
    check(&terms, AlertKind::Retried, Some(&job("a", "ops")), &[]);
    // An alert about the scheduler has no owners: it goes to the operators.
    check(&terms, AlertKind::StoreTrouble, None, &["mail:root", "slack:"]);
}

#[test]
fn owners_are_split_at_commas_and_each_is_told_once() {
    let terms = with(Vec::new());
    let many = job("a", " ops ,, dev,OPS,ops, \t");
    check(&terms, FAILED, Some(&many), &["mail:dev", "mail:ops", "slack:"]);
}

#[test]
fn rules_choose_by_owner_label_and_prefix_and_all_of_these_must_be_met() {
    let ops = Rule { owner: Some(" OPS".to_owned()), ..to(target("mail", &["1"])) };
    let red = Rule {
        label: Some(("team".to_owned(), Some("red".to_owned()))),
        ..to(target("mail", &["2"]))
    };
    let team = Rule { label: Some(("team".to_owned(), None)), ..to(target("mail", &["3"])) };
    let blue = Rule {
        label: Some(("team".to_owned(), Some("blue".to_owned()))),
        ..to(target("mail", &["4"]))
    };
    let night = Rule { prefix: Some("night".to_owned()), ..to(target("mail", &["5"])) };
    let both = Rule { owner: Some("dev".to_owned()), ..night.clone() };
    let both = Rule { to: vec![target("mail", &["6"])], ..both };
    let terms = with(vec![ops, red, team, blue, night, both]);
    check(
        &terms,
        FAILED,
        Some(&job("night 1", "x, ops")),
        &["mail:1", "mail:2", "mail:3", "mail:5"],
    );
    check(&terms, FAILED, Some(&job("day", "dev")), &["mail:2", "mail:3"]);
    check(&terms, FAILED, Some(&job("nights", "Dev")), &["mail:2", "mail:3", "mail:5", "mail:6"]);
    let mut plain = job("day", "ops2");
    plain.labels.clear();
    check(&terms, FAILED, Some(&plain), &[]);
}

#[test]
fn a_rule_that_says_stop_is_the_last_that_is_asked() {
    let first = Rule { prefix: Some("a".to_owned()), stop: true, ..to(target("mail", &["1"])) };
    let terms = with(vec![first, to(target("slack", &[]))]);
    check(&terms, FAILED, Some(&job("a", "")), &["mail:1"]);
    check(&terms, FAILED, Some(&job("b", "")), &["slack:"]);
}

#[test]
fn a_rule_without_kinds_has_all_of_jobs_but_retries() {
    let terms = with(vec![to(target("slack", &[]))]);
    for kind in AlertKind::ALL {
        let is_told = !kind.is_about_the_scheduler() && kind != AlertKind::Retried;
        let wanted: &[&str] = if is_told { &["slack:"] } else { &[] };
        if !kind.is_about_the_scheduler() {
            check(&terms, kind, Some(&job("a", "")), wanted);
        }
    }
}

#[test]
fn a_rule_that_names_kinds_has_these() {
    let kinds = BTreeSet::from([AlertKind::Retried, AlertKind::AgentLost]);
    let terms = with(vec![Rule { kinds: Some(kinds), ..to(target("slack", &[])) }]);
    check(&terms, AlertKind::Retried, Some(&job("a", "ops")), &["slack:"]);
    check(&terms, FAILED, Some(&job("a", "ops")), &[]);
    // It is named, so that the operators need not be told.
    check(&terms, AlertKind::AgentLost, None, &["slack:"]);
    check(&terms, AlertKind::LauncherGone, None, &["mail:root"]);
}

#[test]
fn what_asks_for_a_job_is_not_met_by_the_scheduler() {
    let kinds = Some(BTreeSet::from([AlertKind::AgentLost]));
    let rule = Rule { kinds, prefix: Some(String::new()), ..to(target("slack", &[])) };
    check(&with(vec![rule]), AlertKind::AgentLost, None, &["mail:root"]);
}

#[test]
fn a_target_names_recipients_or_means_the_owners() {
    let owners = RouteTarget { channel: "mail".to_owned(), recipients: None };
    let unknown = target("pager", &["x"]);
    let targets = vec![owners, target("mail", &[" a@b ", ""]), target("hook", &["#x"]), unknown];
    let terms = with(vec![Rule { to: targets, ..Rule::default() }]);
    check(&terms, FAILED, Some(&job("a", "ops")), &["hook:", "mail:a@b", "mail:ops"]);
}

#[test]
fn a_retry_that_is_told_of_to_nobody_joins_and_is_not_counted_as_untold() {
    let mut office = Office::new();
    office.raise(&[failed("a"), of(AlertKind::Retried, "a")]);
    let incident = office.incident(1);
    assert_eq!((incident.alerts, incident.untold), (2, 0));
    assert_eq!(incident.latest, [AlertId(1)]);
}
