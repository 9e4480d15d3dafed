//! The web page in front of the API, and what it asks about who asks.

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Answer, Fixture, site};
use super::super::{Options, Peers, Role};
use super::PREFIXES;

async fn guarded() -> Fixture {
    let callers = [("kim", Role::Operator, "bill-*"), ("root", Role::Admin, "")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    Fixture::start_with(options).await
}

/// The address of the page's file, as the page has it.
fn main_js() -> String {
    format!("/assets/{}/main.js", site().version())
}

#[tokio::test]
async fn the_page_is_served_without_credentials_and_names_its_files_by_their_version() {
    for fixture in [Fixture::start().await, guarded().await] {
        let page = fixture.ask("GET", "/").await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        assert!(page.text().contains(&format!("src=\".{}\"", main_js())), "{}", page.text());
        let script = fixture.ask("GET", &main_js()).await;
        assert_eq!((script.status, script.text()), (200, "1"));
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
        let kept = script.header("cache-control");
        assert_eq!(kept, Some("public, max-age=31536000, immutable"));
    }
}

#[tokio::test]
async fn the_page_is_told_what_it_may_do_once_and_answers_of_the_api_may_do_nothing() {
    let fixture = Fixture::start().await;
    for path in ["/".to_owned(), main_js()] {
        let answer = fixture.ask("GET", &path).await;
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                 connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers(name), [value], "{path}");
        }
        assert_eq!(answer.headers("permissions-policy").len(), 1);
        assert_eq!(answer.headers("set-cookie"), [""; 0]);
    }
    for path in ["/nowhere", "/assets/other/main.js", "/scheduler/jobs"] {
        let policy = fixture.ask("GET", path).await;
        let policy = policy.headers("content-security-policy").join("");
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{path}");
    }
}

#[tokio::test]
async fn who_has_the_page_is_told_so_and_head_tells_all_but_the_body() {
    let fixture = Fixture::start().await;
    for path in ["/".to_owned(), main_js()] {
        let whole = fixture.ask("GET", &path).await;
        let tag = whole.header("etag").unwrap();
        let known = format!("If-None-Match: {tag}\r\n");
        let again = fixture.ask_with("GET", &path, &known, "").await;
        assert_eq!((again.status, again.text(), again.header("etag")), (304, "", Some(tag)));
        assert_eq!(again.header("cache-control"), whole.header("cache-control"));
        let head = fixture.ask("HEAD", &path).await;
        assert_eq!((head.status, head.text()), (200, ""));
        for name in ["etag", "content-type", "content-length", "cache-control", "vary"] {
            assert_eq!(head.header(name), whole.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_version_is_told_to_load_itself_again() {
    let fixture = Fixture::start().await;
    let answer = fixture.ask("GET", "/assets/0123456789abcdef/main.js").await;
    answer.message(404);
    let body = answer.json();
    assert_eq!(body["code"], "other_version");
    assert_eq!(body["remedy"], "load the page again");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn nothing_else_is_there_and_nothing_can_be_sent() {
    let fixture = guarded().await;
    let version = site().version().to_owned();
    for path in ["", "index.html", "nowhere.js", "../main.js", "..%2fmain.js", "%2e%2e/main.js"] {
        let answer = fixture.ask("GET", &format!("/assets/{version}/{path}")).await;
        answer.message(404);
        assert_eq!(answer.json()["code"], "unknown_path", "{path}");
    }
    // No way around the credentials either.
    for path in ["/assets/../scheduler/jobs", "/assets/x/../../scheduler/jobs"] {
        assert_eq!(fixture.ask("GET", path).await.status, 404, "{path}");
    }
    for path in ["/".to_owned(), main_js()] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            assert_eq!(fixture.ask(method, &path).await.status, 401, "{method} {path}");
            let answer = fixture.ask_with(method, &path, &bearer("root"), "").await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
        }
    }
}

#[tokio::test]
async fn the_page_answers_to_our_names_and_to_those_who_may_connect_alone() {
    let fixture = Fixture::start().await;
    let head =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{more}\r\n");
    for path in ["/".to_owned(), main_js()] {
        for more in
            ["", "Host: evil.example\r\n", "Host: localhost\r\nOrigin: http://evil.example\r\n"]
        {
            let answer = fixture.send(&head(&path, more)).await;
            assert!(matches!(answer.status, 400 | 403), "{path} {more}: {answer:?}");
        }
    }
    // Nobody has this id.
    let options = Options { peers: Peers::Users(vec![4_294_967_294]), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    for path in ["/".to_owned(), main_js()] {
        let refused = fixture.ask("GET", &path).await;
        refused.message(403);
        assert_eq!(refused.json()["code"], "peer_not_allowed");
    }
}

async fn me(fixture: &Fixture, prefix: &str, headers: &str) -> Answer {
    fixture.ask_with("GET", &format!("{prefix}/me"), headers, "").await
}

#[tokio::test]
async fn somebody_is_told_who_they_are() {
    let (open, guarded) = (Fixture::start().await, guarded().await);
    for prefix in PREFIXES {
        assert_eq!(
            me(&open, prefix, "").await.text(),
            r#"{"name":"anonymous","role":"admin","scope":null,"credentials":false}"#
        );
        assert_eq!(
            me(&guarded, prefix, &bearer("kim")).await.text(),
            r#"{"name":"kim","role":"operator","scope":["bill-*"],"credentials":true}"#
        );
        assert_eq!(
            me(&guarded, prefix, &bearer("root")).await.text(),
            r#"{"name":"root","role":"admin","scope":null,"credentials":true}"#
        );
        // A cookie is no credential.
        for headers in ["", "Cookie: Authorization=Bearer root\r\n"] {
            me(&guarded, prefix, headers).await.message(401);
        }
    }
}
