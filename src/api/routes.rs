//! Every route there is: the one table from which the router is built and the rights are checked.
//!
//! What the table does not name does not exist, and a row cannot be written without saying which role it needs.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};

use super::access::Role;
use super::desk::Door;
use super::edge::front::Exchange;
use super::error::ApiError;
use super::{chronos, ours};

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Below the prefixes, unless `is_root`.
    pub(crate) path: &'static str,
    /// Whether the path is the whole path.
    pub(crate) is_root: bool,
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
    Route { method, path, is_root: false, needs, handler }
}

const fn root(
    method: Method,
    path: &'static str,
    needs: Needs,
    handler: fn(MethodFilter) -> MethodRouter<Door>,
) -> Route {
    Route { method, path, is_root: true, needs, handler }
}

/// All of them. `GET` answers `HEAD` as well.
pub(crate) const ROUTES: &[Route] = &[
    root(Method::GET, "/ping", Needs::Nothing, |method| on(method, chronos::health::ping)),
    below(Method::POST, "/iso8601", EDITOR, |method| on(method, chronos::jobs::put_scheduled)),
    below(Method::PUT, "/iso8601", EDITOR, |method| on(method, chronos::jobs::put_scheduled)),
    below(Method::POST, "/cron", EDITOR, |method| on(method, chronos::jobs::put_cron)),
    below(Method::PUT, "/cron", EDITOR, |method| on(method, chronos::jobs::put_cron)),
    below(Method::POST, "/dependency", EDITOR, |method| on(method, chronos::jobs::put_dependent)),
    below(Method::PUT, "/dependency", EDITOR, |method| on(method, chronos::jobs::put_dependent)),
    below(Method::GET, "/jobs", VIEWER, |method| on(method, chronos::jobs::list)),
    below(Method::GET, "/job/{name}", VIEWER, |method| on(method, chronos::jobs::show)),
    below(Method::PUT, "/job/{name}", OPERATOR, |method| on(method, chronos::jobs::run)),
    below(Method::DELETE, "/job/{name}", EDITOR, |method| on(method, chronos::jobs::delete)),
    below(Method::DELETE, "/task/kill/{name}", OPERATOR, |method| on(method, chronos::jobs::kill)),
    below(Method::GET, "/preview", VIEWER, |method| on(method, ours::preview::show)),
    below(Method::POST, "/preview", VIEWER, |method| on(method, ours::preview::try_out)),
    below(Method::GET, "/forecast", VIEWER, |method| on(method, ours::forecast::show)),
    below(Method::GET, "/round/{name}", VIEWER, |method| on(method, ours::round::show)),
    below(Method::GET, "/runs", VIEWER, |method| on(method, ours::runs::list)),
    below(Method::GET, "/run/{id}", VIEWER, |method| on(method, ours::runs::show)),
    below(Method::GET, "/run/{id}/stdout", VIEWER, |method| on(method, ours::output::stdout)),
    below(Method::GET, "/run/{id}/stderr", VIEWER, |method| on(method, ours::output::stderr)),
    below(Method::GET, "/info", VIEWER, |method| on(method, ours::info::show)),
    below(Method::GET, "/audit", ADMIN, |method| on(method, ours::audit::list)),
];

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
) -> Result<Response, ApiError> {
    match route.needs {
        Needs::Nothing => {}
        Needs::Role(role) if exchange.caller.role >= role => {}
        Needs::Role(role) => {
            let (name, has) = (&exchange.caller.name, exchange.caller.role.as_str());
            let message = format!("`{name}` is {has}, and this needs {}", role.as_str());
            return Err(ApiError::forbidden("role_too_low", message)
                .remedy("ask an administrator for credentials with that role"));
        }
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_is_there_twice_and_only_the_ping_is_open() {
        for (index, route) in ROUTES.iter().enumerate() {
            let same = |other: &&Route| {
                (&other.method, other.path, other.is_root)
                    == (&route.method, route.path, route.is_root)
            };
            assert_eq!(ROUTES[..index].iter().find(same).map(|it| it.path), None);
            assert_eq!(route.needs == Needs::Nothing, route.path == "/ping", "{}", route.path);
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
