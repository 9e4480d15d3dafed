//! Credentials: lines of the file, and what of a request lets somebody in.

use std::sync::atomic::{AtomicI64, Ordering};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::testing::noon;
use super::*;
use crate::api::error::ApiError;
use crate::api::testing::at;
use crate::model::{Duration, Now};

fn credential(name: &str, hash: Hash) -> Credential {
    Credential {
        name: name.into(),
        role: Role::Viewer,
        scope: Scope::All,
        hash,
        created: None,
        expires: None,
    }
}

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, value.parse().unwrap());
    }
    headers
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

async fn ask(of: &Authenticator, values: &[&str]) -> Result<String, &'static str> {
    ask_from(of, "192.0.2.1", values).await
}

async fn ask_from(of: &Authenticator, peer: &str, values: &[&str]) -> Result<String, &'static str> {
    let peer = peer.parse().unwrap();
    let found: Result<Caller, ApiError> = of.authenticate(&headers(values), peer).await;
    found.map(|caller| caller.name.to_string()).map_err(|error| error.code())
}

#[test]
fn lines_are_read_as_they_are_printed() {
    let token = new_token().unwrap();
    for credential in [
        Credential {
            scope: Scope::Only(vec![
                Pattern::parse("billing-*").unwrap(),
                Pattern::parse("report").unwrap(),
            ]),
            created: Some(at("2030-01-01T00:00:00Z")),
            expires: Some(at("2031-01-01T00:00:00.5Z")),
            role: Role::Editor,
            ..credential("deploy@ci", Hash::of_token(&token))
        },
        credential("ann", Hash::of_password("correct horse").unwrap()),
    ] {
        let line = credential.print();
        assert!(!line.contains(&token) && !line.contains("correct"), "{line}");
        assert_eq!(Credential::parse(&line), Ok(credential));
    }
}

#[test]
fn mistakes_in_a_line_are_named() {
    let good = credential("ann", Hash::of_token("x")).print();
    for (from, to, expected) in [
        ("{", "[", "no JSON object"),
        ("\"ann\"", "\"a b\"", "is no name"),
        ("\"ann\"", "\"a:b\"", "is no name"),
        ("\"ann\"", "\"\"", "is no name"),
        ("\"ann\"", "7", "`name` is missing or no text"),
        ("viewer", "owner", "`role` is `owner`: expected one of viewer, operator, editor, admin"),
        ("\"kind\":\"token\"", "\"kind\":\"key\"", "expected `token` or `password`"),
        ("\"kind\":\"token\"", "\"kind\":\"password\"", "no `$argon2id$"),
        ("sha256:", "sha256:0", "64 hexadecimal digits"),
        ("sha256:", "md5:", "64 hexadecimal digits"),
        ("\"role\"", "\"expiers\":\"2030-01-01T00:00:00Z\",\"role\"", "no field `expiers`"),
        ("\"role\"", "\"expires\":\"tomorrow\",\"role\"", "`expires` is no instant"),
        ("\"role\"", "\"scope\":[],\"role\"", "`scope` has 0 entries"),
        ("\"role\"", "\"scope\":\"a\",\"role\"", "`scope` is no list"),
        ("\"role\"", "\"scope\":[\"billing*\"],\"role\"", "expected a separator"),
        ("\"role\"", "\"scope\":null,\"role\"", "`scope` is no list"),
    ] {
        let line = good.replacen(from, to, 1);
        let error = Credential::parse(&line).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
    let twice = format!("# people\n\n{good}\n  {good}\n");
    assert!(parse_all(&twice).unwrap_err().contains("line 4: `ann` is there twice"));
    assert_eq!(parse_all("# nobody\n"), Ok(Vec::new()));
}

#[test]
fn a_token_of_the_examples_is_none() {
    for sample in ["default_token", "changeme", "chronos"] {
        let line = credential("ann", Hash::of_token(sample)).print();
        assert!(Credential::parse(&line).unwrap_err().contains("stands in examples"));
    }
}

#[test]
fn tokens_are_long_and_never_the_same() {
    let (one, two) = (new_token().unwrap(), new_token().unwrap());
    assert_ne!(one, two);
    assert_eq!(one.len(), 4 + 43);
    assert_eq!(format!("{:?}", Hash::of_token(&one)), "Hash(token)");
}

#[tokio::test]
async fn whoever_shows_a_secret_is_let_in_and_nobody_else() {
    let password = "correct: horse";
    let credentials = vec![
        credential("ci", Hash::of_token("tok-1")),
        credential("ann", Hash::of_password(password).unwrap()),
        Credential { expires: Some(noon().wall), ..credential("old", Hash::of_token("tok-2")) },
    ];
    let of = Authenticator::new(credentials, "Mesosphere", noon).unwrap();
    for (shown, expected) in [
        ("Bearer tok-1", "ci"),
        ("bearer   tok-1 ", "ci"),
        (&basic("ci:tok-1"), "ci"),
        (&basic(&format!("ann:{password}")), "ann"),
        // Known by now.
        (&basic(&format!("ann:{password}")), "ann"),
    ] {
        assert_eq!(ask(&of, &[shown]).await.as_deref(), Ok(expected), "{shown}");
    }
    for (shown, expected) in [
        ("Bearer tok-3", "credentials_wrong"),
        ("Bearer tok-2", "credentials_expired"),
        (&basic("ann:correct"), "credentials_wrong"),
        (&basic("ann:"), "credentials_wrong"),
        (&basic("ci:correct: horse"), "credentials_wrong"),
        (&basic("ann:tok-1"), "credentials_wrong"),
        (&basic("eve:correct: horse"), "credentials_wrong"),
        // The empty password that a name without an owner is compared with.
        (&basic("eve:"), "credentials_wrong"),
        (&basic("ann"), "credentials_unreadable"),
        (&basic(":x"), "credentials_unreadable"),
        ("Basic !!!", "credentials_unreadable"),
        ("Bearer", "credentials_unreadable"),
        ("Bearer ", "credentials_unreadable"),
        ("Digest tok-1", "credentials_unreadable"),
        ("", "credentials_unreadable"),
    ] {
        assert_eq!(ask(&of, &[shown]).await, Err(expected), "{shown}");
    }
    assert_eq!(ask(&of, &[]).await, Err("credentials_missing"));
    assert_eq!(ask(&of, &["Bearer tok-1", "Bearer tok-1"]).await, Err("credentials_unreadable"));
}

#[tokio::test]
async fn others_are_let_in_after_a_change_and_the_old_ones_are_not() {
    let shown = basic("ann:correct horse");
    let before = credential("ann", Hash::of_password("correct horse").unwrap());
    let of = Authenticator::new(vec![before], "x", noon).unwrap();
    assert!(ask(&of, &[&shown]).await.is_ok());
    of.replace(vec![credential("ann", Hash::of_password("other").unwrap())]).unwrap();
    assert_eq!(ask(&of, &[&shown]).await, Err("credentials_wrong"));
    assert!(ask(&of, &[&basic("ann:other")]).await.is_ok());
}

#[tokio::test]
async fn a_flood_of_passwords_is_told_to_wait_and_whoever_is_known_is_not() {
    let known = basic("ann:correct horse");
    let password = Hash::of_password("correct horse").unwrap();
    let credentials = vec![credential("ann", password), credential("ci", Hash::of_token("t"))];
    let of = Authenticator::new(credentials, "x", noon).unwrap();
    assert!(ask(&of, &[&known]).await.is_ok());
    let wrong = basic("ann:wrong");
    let values = [wrong.as_str()];
    // All begin before the first one ends, as a future first runs up to where it waits.
    let answers = futures_util::future::join_all((0..100).map(|_| ask(&of, &values))).await;
    let busy = answers.iter().filter(|answer| **answer == Err("too_many_attempts")).count();
    assert_eq!(busy, 100 - 8, "one peer has no more places");
    let of_site = ["2001:db8::1", "2001:db8::2:1", "2001:db8:0:0:ffff::"];
    let asks = (0..99).map(|it| ask_from(&of, of_site[it % 3], &values));
    let answers = futures_util::future::join_all(asks).await;
    let busy = answers.iter().filter(|answer| **answer == Err("too_many_attempts")).count();
    assert_eq!(busy, 99 - 8, "nor has one site by having many addresses");
    let peers: Vec<String> = (0..100).map(|it| format!("192.0.2.{it}")).collect();
    let asks = peers.iter().map(|peer| ask_from(&of, peer, &values));
    let answers = futures_util::future::join_all(asks).await;
    let busy = answers.iter().filter(|answer| **answer == Err("too_many_attempts")).count();
    assert_eq!(busy, 100 - 32);
    // The places of those who wait are all taken.
    let _taken = of.fill_places();
    assert_eq!(ask(&of, &[&wrong]).await, Err("too_many_attempts"));
    assert!(ask(&of, &[&known]).await.is_ok());
    assert!(ask(&of, &["Bearer t"]).await.is_ok());
    assert!(ask(&of, &[&basic("ci:t")]).await.is_ok(), "whoever has the token");
}

#[tokio::test]
async fn a_wrong_secret_costs_the_same_whether_the_name_is_nobodys_a_persons_or_a_tokens() {
    let password = Hash::of_password("correct horse").unwrap();
    let credentials = vec![credential("ann", password), credential("ci", Hash::of_token("t"))];
    let of = Authenticator::new(credentials, "x", noon).unwrap();
    // Also the empty one, with which names without an owner are compared.
    for shown in ["ann:x", "ci:x", "eve:x", "ann:", "ci:", "eve:"] {
        assert_eq!(ask(&of, &[&basic(shown)]).await, Err("credentials_wrong"), "{shown}");
    }
    // Whoever is to be compared needs a place to wait at.
    let _taken = of.fill_places();
    for shown in ["ann:x", "ci:x", "eve:x", "ann:", "ci:", "eve:"] {
        assert_eq!(ask(&of, &[&basic(shown)]).await, Err("too_many_attempts"), "{shown}");
    }
}

#[tokio::test]
async fn a_flood_from_one_place_leaves_others_places() {
    let right = basic("ann:correct horse");
    let wrong = basic("ann:wrong");
    let password = Hash::of_password("correct horse").unwrap();
    let of = Authenticator::new(vec![credential("ann", password)], "x", noon).unwrap();
    let values = [wrong.as_str()];
    let flood = futures_util::future::join_all((0..100).map(|_| ask(&of, &values)));
    // Polled after the flood has begun and while it lasts.
    let (_, other) = futures_util::future::join(flood, ask_from(&of, "192.0.2.2", &[&right])).await;
    assert_eq!(other.as_deref(), Ok("ann"));
    assert_eq!(ask(&of, &values).await, Err("credentials_wrong"), "places are given back");
}

/// Seconds since noon, for the test below alone.
static LATER: AtomicI64 = AtomicI64::new(0);

fn later() -> Now {
    let span = Duration::from_secs(LATER.load(Ordering::SeqCst));
    let Now { wall, boot } = noon();
    Now { wall: wall.checked_add(span).unwrap(), boot: boot.saturating_add(span) }
}

#[tokio::test]
async fn whoever_goes_on_asking_stays_known_for_hours_but_not_when_they_expire_or_are_removed() {
    let known = basic("ann:correct horse");
    let ann = credential("ann", Hash::of_password("correct horse").unwrap());
    let of = Authenticator::new(vec![ann.clone()], "x", later).unwrap();
    assert!(ask(&of, &[&known]).await.is_ok());
    let taken = of.fill_places();
    // With no place left, only who is known is let in.
    let mut hours = 0;
    while ask(&of, &[&known]).await.is_ok() {
        LATER.fetch_add(540, Ordering::SeqCst);
        hours = LATER.load(Ordering::SeqCst) / 3_600;
        assert!(hours < 24, "a password is tried again once in a while");
    }
    assert_eq!(hours, 12);
    drop(taken);
    assert!(ask(&of, &[&known]).await.is_ok());
    LATER.fetch_add(600, Ordering::SeqCst);
    let taken = of.fill_places();
    assert_eq!(ask(&of, &[&known]).await, Err("too_many_attempts"), "not without asking");
    drop(taken);

    let expires = later().wall.checked_add(Duration::from_secs(60)).unwrap();
    of.replace(vec![Credential { expires: Some(expires), ..ann }]).unwrap();
    assert!(ask(&of, &[&known]).await.is_ok());
    let taken = of.fill_places();
    assert!(ask(&of, &[&known]).await.is_ok(), "known");
    LATER.fetch_add(60, Ordering::SeqCst);
    assert_eq!(ask(&of, &[&known]).await, Err("credentials_expired"));
    drop(taken);
    of.replace(vec![credential("bob", Hash::of_token("t"))]).unwrap();
    assert_eq!(ask(&of, &[&known]).await, Err("credentials_wrong"));
}

/// An answer that goes on for hours is not cut because somebody else has a new token.
#[test]
fn an_admission_holds_until_the_credential_itself_is_another_or_gone() {
    let ann = credential("ann", Hash::of_token("one"));
    let caller = Caller { name: "ann".into(), role: Role::Viewer, scope: Scope::All };
    let start = || {
        let others = vec![ann.clone(), credential("eve", Hash::of_token("two"))];
        let authenticator = Arc::new(Authenticator::new(others, "r", noon).unwrap());
        let admission = Admission::of(Some(&authenticator), &caller);
        assert!(admission.holds());
        (authenticator, admission)
    };
    let (authenticator, admission) = start();
    authenticator.replace(vec![credential("bob", Hash::of_token("3")), ann.clone()]).unwrap();
    assert!(admission.holds(), "others came and went");
    for changed in [
        Credential { hash: Hash::of_token("other"), ..ann.clone() },
        Credential { role: Role::Operator, ..ann.clone() },
        Credential { scope: Scope::Only(vec![Pattern::parse("a").unwrap()]), ..ann.clone() },
        Credential { expires: Some(noon().wall), ..ann.clone() },
        Credential { name: "anna".into(), ..ann.clone() },
    ] {
        let (authenticator, admission) = start();
        authenticator.replace(vec![changed.clone()]).unwrap();
        assert!(!admission.holds(), "{changed:?}");
    }
    assert!(Admission::of(None, &caller).holds(), "nobody is asked for credentials");
}
