//! What people are told by: `P/channels`, `P/channels/test`.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::fields::Posted;
use crate::api::backend::{ChannelView, Tried};
use crate::api::edge::front::shown;
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response, print};

/// `GET P/channels`.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    Query::parse_known(query.as_deref(), &[])?;
    let printed: Value = desk.channels().iter().map(channel).collect();
    Ok(json_response(&json!({"channels": printed})))
}

fn channel(channel: &ChannelView) -> Value {
    let ChannelView { name, kind, to, failing, due } = channel;
    json!({
        "name": name,
        "kind": kind,
        "to": to,
        "problem": failing.as_ref().map(|failing| &failing.problem),
        "failingSince": failing.as_ref().map(|failing| print::instant(failing.since)),
        "due": due,
    })
}

/// `POST P/channels/test`.
pub(crate) async fn test(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields_if_any(&["channel", "recipient"]).await?;
    let channel = fields.text("channel", "mail")?.map(str::to_owned);
    let recipient = fields.text("recipient", "ops@example.org")?.map(str::to_owned);
    let names: Vec<String> = desk.channels().into_iter().map(|channel| channel.name).collect();
    if names.is_empty() {
        return Err(ApiError::invalid("channel", "no channel is configured")
            .remedy("configure one: see `mail_server` and `channels` in the documentation"));
    }
    if let Some(channel) = &channel
        && !names.contains(channel)
    {
        let message = format!("no channel `{}` is configured", shown(channel));
        return Err(ApiError::invalid("channel", message)
            .remedy(format!("name one of {}", names.join(", "))));
    }
    let results: Value = desk.try_channels(channel, recipient).await?.iter().map(tried).collect();
    Ok(json_response(&json!({"results": results})))
}

fn tried(tried: &Tried) -> Value {
    let Tried { channel, recipient, result } = tried;
    json!({
        "channel": channel,
        "recipient": recipient,
        "arrived": result.is_ok(),
        "said": result.as_ref().ok(),
        "problem": result.as_ref().err(),
    })
}
