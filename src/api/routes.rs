//! Every route there is: the one table from which the router is built and the rights are checked.
//!
//! What the table does not name does not exist, and a row cannot be written without saying which role it needs.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};

use super::access::Role;
use super::desk::Door;
use super::edge::front::Exchange;
use super::error::ApiError;
use super::{chronos, ours, page};

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Below the prefixes, unless `is_root`.
    pub(crate) path: &'static str,
    /// Whether the path is the whole path.
    pub(crate) is_root: bool,
    /// Whether it is of the web page, and not of the API.
    pub(crate) is_page: bool,
    pub(crate) needs: Needs,
    pub(crate) handler: fn(MethodFilter) -> MethodRouter<Door>,
}

/// What a caller must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    /// Anybody whose connection was let in, without credentials too.
    Nothing,
    /// Somebody with at least this role.
    Role(Role),
}

const VIEWER: Needs = Needs::Role(Role::Viewer);
const OPERATOR: Needs = Needs::Role(Role::Operator);
const EDITOR: Needs = Needs::Role(Role::Editor);
const ADMIN: Needs = Needs::Role(Role::Admin);

const fn below(
    method: Method,
    path: &'static str,
    needs: Needs,
    handler: fn(MethodFilter) -> MethodRouter<Door>,
) -> Route {
    Route { method, path, is_root: false, is_page: false, needs, handler }
}

const fn root(
    method: Method,
    path: &'static str,
    needs: Needs,
    handler: fn(MethodFilter) -> MethodRouter<Door>,
) -> Route {
    Route { method, path, is_root: true, is_page: false, needs, handler }
}

/// Of the web page: the whole path, open and for reading.
const fn of_page(path: &'static str, handler: fn(MethodFilter) -> MethodRouter<Door>) -> Route {
    let (method, needs) = (Method::GET, Needs::Nothing);
    Route { method, path, is_root: true, is_page: true, needs, handler }
}

/// All of them. `GET` answers `HEAD` as well.
pub(crate) const ROUTES: &[Route] = &[
    of_page("/", |method| on(method, page::show)),
    of_page("/assets/{version}/{*path}", |method| on(method, page::asset)),
    root(Method::GET, "/ping", Needs::Nothing, |method| on(method, chronos::health::ping)),
    root(Method::GET, "/metrics", VIEWER, |method| on(method, chronos::metrics::show)),
    below(Method::POST, "/iso8601", EDITOR, |method| on(method, chronos::jobs::put_scheduled)),
    below(Method::PUT, "/iso8601", EDITOR, |method| on(method, chronos::jobs::put_scheduled)),
    below(Method::POST, "/cron", EDITOR, |method| on(method, chronos::jobs::put_cron)),
    below(Method::PUT, "/cron", EDITOR, |method| on(method, chronos::jobs::put_cron)),
    below(Method::POST, "/dependency", EDITOR, |method| on(method, chronos::jobs::put_dependent)),
    below(Method::PUT, "/dependency", EDITOR, |method| on(method, chronos::jobs::put_dependent)),
    below(Method::GET, "/jobs", VIEWER, |method| on(method, chronos::list::list)),
    below(Method::GET, "/jobs/search", VIEWER, |method| on(method, chronos::search::search)),
    below(Method::GET, "/jobs/summary", VIEWER, |method| on(method, chronos::summary::show)),
    below(Method::GET, "/job/stat/{name}", VIEWER, |method| on(method, chronos::stats::of_job)),
    below(Method::GET, "/stats/{figure}", VIEWER, |method| on(method, chronos::stats::of_all)),
    below(Method::GET, "/leader", VIEWER, |method| on(method, chronos::leader::show)),
    below(Method::GET, "/graph/dot", VIEWER, |method| on(method, chronos::graph::dot)),
    below(Method::GET, "/graph/csv", VIEWER, |method| on(method, chronos::graph::csv)),
    below(Method::GET, "/job/{name}", VIEWER, |method| on(method, chronos::jobs::show)),
    below(Method::PUT, "/job/{name}", OPERATOR, |method| on(method, chronos::jobs::run)),
    below(Method::DELETE, "/job/{name}", EDITOR, |method| on(method, chronos::jobs::delete)),
    below(Method::PUT, "/job/success/{name}", OPERATOR, |method| {
        on(method, chronos::tasks::mark_success)
    }),
    below(Method::POST, "/job/{name}/task/{task_id}/progress", OPERATOR, |method| {
        on(method, chronos::tasks::progress)
    }),
    below(Method::PUT, "/task/{task_id}", OPERATOR, |method| on(method, chronos::tasks::complete)),
    below(Method::DELETE, "/task/all", ADMIN, |method| on(method, chronos::tasks::clear_queue)),
    below(Method::POST, "/apply", EDITOR, |method| on(method, ours::bulk::apply)),
    below(Method::POST, "/cutover", EDITOR, |method| on(method, ours::cutover::cut_over)),
    below(Method::DELETE, "/task/kill/{name}", OPERATOR, |method| on(method, chronos::jobs::kill)),
    below(Method::GET, "/preview", VIEWER, |method| on(method, ours::preview::show)),
    below(Method::POST, "/preview", VIEWER, |method| on(method, ours::preview::try_out)),
    below(Method::GET, "/forecast", VIEWER, |method| on(method, ours::forecast::show)),
    below(Method::GET, "/layout", VIEWER, |method| on(method, ours::layout::show)),
    below(Method::GET, "/round/{name}", VIEWER, |method| on(method, ours::round::show)),
    below(Method::GET, "/explain/{name}", VIEWER, |method| on(method, ours::explain::job)),
    below(Method::GET, "/run/{id}/explain", VIEWER, |method| on(method, ours::explain::run)),
    below(Method::GET, "/chain/{id}", VIEWER, |method| on(method, ours::chain::show)),
    below(Method::GET, "/overview", VIEWER, |method| on(method, ours::overview::show)),
    below(Method::GET, "/agents", VIEWER, |method| on(method, ours::agents::show)),
    below(Method::GET, "/shortfall", VIEWER, |method| on(method, ours::agents::shortfall)),
    below(Method::GET, "/timeline", VIEWER, |method| on(method, ours::timeline::show)),
    below(Method::GET, "/runs", VIEWER, |method| on(method, ours::runs::list)),
    below(Method::GET, "/run/{id}", VIEWER, |method| on(method, ours::runs::show)),
    below(Method::GET, "/run/{id}/stdout", VIEWER, |method| on(method, ours::output::stdout)),
    below(Method::GET, "/run/{id}/stderr", VIEWER, |method| on(method, ours::output::stderr)),
    below(Method::GET, "/run/{id}/files", VIEWER, |method| on(method, ours::files::list)),
    below(Method::GET, "/run/{id}/file", VIEWER, |method| on(method, ours::output::file)),
    below(Method::GET, "/revisions/{name}", VIEWER, |method| on(method, ours::revisions::list)),
    below(Method::GET, "/revision/{name}/{revision}", VIEWER, |method| {
        on(method, ours::revisions::show)
    }),
    below(Method::GET, "/diff/{name}", VIEWER, |method| on(method, ours::revisions::diff)),
    below(Method::POST, "/rollback/{name}", EDITOR, |method| {
        on(method, ours::revisions::roll_back)
    }),
    below(Method::POST, "/runs", OPERATOR, |method| on(method, ours::operate::run_now)),
    below(Method::POST, "/run/{id}/kill", OPERATOR, |method| on(method, ours::operate::kill)),
    below(Method::POST, "/run/{id}/retry", OPERATOR, |method| on(method, ours::operate::retry)),
    below(Method::POST, "/run/{id}/retry-down", OPERATOR, |method| {
        on(method, ours::operate::retry_down)
    }),
    below(Method::POST, "/run/{id}/succeed", OPERATOR, |method| on(method, ours::operate::succeed)),
    below(Method::POST, "/run/{id}/skip", OPERATOR, |method| on(method, ours::operate::skip)),
    below(Method::POST, "/pause", OPERATOR, |method| on(method, ours::pauses::pause)),
    below(Method::POST, "/resume", OPERATOR, |method| on(method, ours::pauses::resume)),
    below(Method::GET, "/pauses", VIEWER, |method| on(method, ours::pauses::list)),
    below(Method::POST, "/skip", OPERATOR, |method| on(method, ours::pauses::skip)),
    below(Method::POST, "/unskip", OPERATOR, |method| on(method, ours::pauses::unskip)),
    below(Method::POST, "/backfill", OPERATOR, |method| on(method, ours::backfills::begin)),
    below(Method::GET, "/backfills", VIEWER, |method| on(method, ours::backfills::list)),
    below(Method::GET, "/backfill/{backfill}", VIEWER, |method| on(method, ours::backfills::show)),
    below(Method::POST, "/backfill/{backfill}/cancel", OPERATOR, |method| {
        on(method, ours::backfills::cancel)
    }),
    below(Method::GET, "/backlog", VIEWER, |method| on(method, ours::backlog::list)),
    below(Method::POST, "/backlog/cut", OPERATOR, |method| on(method, ours::backlog::cut)),
    below(Method::POST, "/quarantine/lift", OPERATOR, |method| {
        on(method, ours::pauses::lift_quarantine)
    }),
    below(Method::POST, "/clock/trust", OPERATOR, |method| on(method, ours::pauses::trust_clock)),
    below(Method::GET, "/incidents", VIEWER, |method| on(method, ours::incidents::list)),
    below(Method::GET, "/incident/{incident}", VIEWER, |method| on(method, ours::incidents::show)),
    below(Method::POST, "/incident/{incident}/acknowledge", OPERATOR, |method| {
        on(method, ours::incidents::acknowledge)
    }),
    below(Method::POST, "/incident/{incident}/silence", OPERATOR, |method| {
        on(method, ours::incidents::silence)
    }),
    below(Method::POST, "/incident/{incident}/unsilence", OPERATOR, |method| {
        on(method, ours::incidents::unsilence)
    }),
    below(Method::POST, "/silence", OPERATOR, |method| on(method, ours::incidents::silence_job)),
    below(Method::POST, "/unsilence", OPERATOR, |method| {
        on(method, ours::incidents::unsilence_job)
    }),
    below(Method::GET, "/notifications", VIEWER, |method| on(method, ours::notifications::list)),
    below(Method::POST, "/notification/{notification}/retry", OPERATOR, |method| {
        on(method, ours::notifications::retry)
    }),
    below(Method::GET, "/channels", VIEWER, |method| on(method, ours::channels::list)),
    below(Method::POST, "/channels/test", ADMIN, |method| on(method, ours::channels::test)),
    below(Method::GET, "/events", VIEWER, |method| on(method, ours::events::follow)),
    below(Method::GET, "/origins", VIEWER, |method| on(method, ours::origins::list)),
    below(Method::GET, "/me", VIEWER, |method| on(method, ours::me::show)),
    below(Method::GET, "/info", VIEWER, |method| on(method, ours::info::show)),
    below(Method::GET, "/audit", ADMIN, |method| on(method, ours::audit::list)),
    below(Method::GET, "/openapi.json", VIEWER, |method| on(method, ours::openapi::show)),
];

/// Whether a request is answered without credentials: it reads, and what it reads needs nothing. All of these are whole
/// paths; behind a `{` of theirs anything may follow.
pub(crate) fn is_open(method: &Method, path: &str) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let mut open = ROUTES.iter().filter(|route| route.needs == Needs::Nothing);
    reads
        && open.any(|route| match route.path.split_once('{') {
            Some((beginning, _)) => path.len() > beginning.len() && path.starts_with(beginning),
            None => path == route.path,
        })
}

/// The routes below a prefix, or those that are below none, as a router that checks rights.
pub(super) fn router_of(is_root: bool) -> Router<Door> {
    let routes = ROUTES.iter().filter(|route| route.is_root == is_root);
    routes.fold(Router::new(), |router, route| {
        let method =
            MethodFilter::try_from(route.method.clone()).expect("a method that axum knows");
        let guarded = (route.handler)(method)
            .layer(from_fn(move |exchange, request, next| guard(route, exchange, request, next)));
        router.route(route.path, guarded)
    })
}

async fn guard(
    route: &'static Route,
    Extension(exchange): Extension<Exchange>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match check(route, &exchange) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    response.extensions_mut().insert(Reached(route));
    response
}

/// Which route made an answer. An extension of the answers of all routes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached(pub(crate) &'static Route);

fn check(route: &Route, exchange: &Exchange) -> Result<(), ApiError> {
    match route.needs {
        Needs::Nothing => Ok(()),
        Needs::Role(role) if exchange.caller.role >= role => Ok(()),
        Needs::Role(role) => {
            let (name, has) = (&exchange.caller.name, exchange.caller.role.as_str());
            let message = format!("`{name}` is {has}, and this needs {}", role.as_str());
            Err(ApiError::forbidden("role_too_low", message)
                .remedy("ask an administrator for credentials with that role"))
        }
    }
}

impl Route {
    /// The path with its prefix, as documents have it.
    pub(crate) fn pattern(&self) -> String {
        format!("{}{}", if self.is_root { "" } else { "P" }, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_is_there_twice() {
        for (index, route) in ROUTES.iter().enumerate() {
            let same = |other: &&Route| {
                (&other.method, other.path, other.is_root)
                    == (&route.method, route.path, route.is_root)
            };
            assert_eq!(ROUTES[..index].iter().find(same).map(|it| it.path), None);
        }
    }

    /// All of what is open, letter by letter: whoever opens more says so here.
    #[test]
    fn only_the_ping_and_the_page_are_open_and_only_for_reading() {
        let open = ROUTES.iter().filter(|route| route.needs == Needs::Nothing);
        let open: Vec<_> = open.map(|it| (it.method.as_str(), it.pattern(), it.is_page)).collect();
        let expected = [("/", true), ("/assets/{version}/{*path}", true), ("/ping", false)];
        assert_eq!(open, expected.map(|(path, is_page)| ("GET", path.to_owned(), is_page)));
        for path in ["/", "/ping", "/assets/a/b.js", "/assets/a"] {
            assert!(is_open(&Method::GET, path) && is_open(&Method::HEAD, path), "{path}");
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
                assert!(!is_open(&method, path), "{method} {path}");
            }
        }
        for path in [
            "",
            "//",
            "/ping/",
            "//ping",
            "/pings",
            "/assets",
            "/assets/",
            "/ASSETS/a/b.js",
            "/%61ssets/a/b.js",
            "//assets/a/b.js",
            "/scheduler/assets/a/b.js",
            "/index.html",
            "/metrics",
            "/scheduler/me",
        ] {
            assert!(!is_open(&Method::GET, path), "{path}");
        }
    }

    #[test]
    fn what_changes_something_needs_more_than_reading() {
        for route in ROUTES {
            let reads = route.method == Method::GET || route.path == "/preview";
            assert!(reads || route.needs >= OPERATOR, "{} {}", route.method, route.path);
        }
    }
}
