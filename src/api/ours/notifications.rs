//! The messages that tell people of what has happened, and how they fare: `P/notifications`, `P/notification/{id}/retry`.

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::fields::Posted;
use super::incidents::{JOBS_NAMED, unreadable};
use super::operate::carry_out;
use crate::api::backend::{NotificationView, NotificationsWanted};
use crate::api::edge::front::shown;
use crate::api::error::ApiError;
use crate::api::query::{self, Query};
use crate::api::{Desk, json_response, print};
use crate::engine::Request;
use crate::model::{Delivery, Notification, NotificationId};

/// Notifications of a page when the client does not say, and at most.
const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 200;

/// The words of `state` beside those of deliveries.
const PENDING: &str = "pending";
const ALL: &str = "all";

/// `GET P/notifications?state=&channel=&before=&limit=`: newest first.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["state", "channel", "before", "limit"])?;
    let deliveries: Vec<&'static str> = match query.get("state") {
        None | Some(ALL) => Vec::new(),
        Some(PENDING) => vec!["held", "due"],
        Some(text) => match Delivery::NAMES.into_iter().find(|name| *name == text) {
            Some(name) => vec![name],
            None => {
                let expected = format!("one of {PENDING}, {}, {ALL}", Delivery::NAMES.join(", "));
                return Err(query::invalid("state", text, &expected));
            }
        },
    };
    let before = query.get("before").map(|text| {
        let expected = "the `next` of the page before";
        NotificationId::parse(text).ok_or_else(|| query::invalid("before", text, expected))
    });
    let wanted = NotificationsWanted {
        deliveries: deliveries.clone(),
        channel: query.get("channel").map(str::to_owned),
        before: before.transpose()?,
        limit: query.within("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT),
        ..NotificationsWanted::default()
    };
    let page = desk.notifications(wanted).await.map_err(unreadable)?;
    let is_wanted = |name: &str| deliveries.is_empty() || deliveries.contains(&name);
    let total = page.counts.map(|counts| {
        counts.iter().filter(|(name, _)| is_wanted(name)).map(|(_, count)| *count).sum::<u64>()
    });
    let counts = page.counts.map(|counts| {
        counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect::<Map<_, _>>()
    });
    Ok(json_response(&json!({
        "total": total,
        "counts": counts,
        "next": page.next.map(|id| id.to_string()),
        "notifications": page.notifications.iter().map(printed).collect::<Value>(),
    })))
}

/// `POST P/notification/{id}/retry`.
pub(crate) async fn retry(Path(id): Path<String>, posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let id = NotificationId::parse(&id).ok_or_else(|| unknown(&id))?;
    let (desk, fields) = posted.fields_if_any(&["reason"]).await?;
    let by = desk.intervention(fields.reason()?);
    carry_out(&desk, Request::RetryNotification { id, by }).await?;
    let view = desk.notification(id).await.map_err(unreadable)?;
    let view = view.ok_or_else(|| unknown(&id.to_string()))?;
    Ok(json_response(&printed(&view)))
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found("unknown_notification", format!("notification `{}` not found", shown(id)))
        .remedy("`notifications` lists those that are kept")
}

/// A notification as it is told.
pub(super) fn printed(view: &NotificationView) -> Value {
    let NotificationView { notification, jobs, is_about_scheduler: _ } = view;
    let Notification {
        id,
        to,
        kind,
        incident,
        alerts,
        left_out,
        made_at,
        tries,
        problem,
        delivery,
    } = notification;
    let at = |wanted: &str| (delivery.name() == wanted).then(|| print::instant(delivery.at()));
    json!({
        "id": id.to_string(),
        "channel": to.channel,
        "recipient": to.recipient,
        "kind": kind.name(),
        "incident": incident.map(|id| id.to_string()),
        "alerts": alerts.len(),
        "leftOut": left_out,
        "jobs": jobs.iter().take(JOBS_NAMED).map(|job| job.as_str()).collect::<Vec<_>>(),
        "jobsLeftOut": jobs.len().saturating_sub(JOBS_NAMED),
        "state": delivery.name(),
        "madeAt": print::instant(*made_at),
        "until": at("held"),
        "nextTryAt": at("due"),
        "deliveredAt": at("delivered"),
        "givenUpAt": at("givenUp"),
        "tries": tries,
        "problem": problem,
    })
}
