//! What becomes of notifications: digests that fall due, tries that came to something or nothing, channels that fail.

use crate::model::{
    AlertKind, Delivery, Duration, IncidentKey, Notification, NotificationId, Timestamp,
};

use super::decide::{CHANNEL, raise_one};
use super::draft::Draft;
use super::{
    CHANNEL_TRIES, Change, Desk, Failing, Outcome, PROBLEM_BYTES_MAX, Raised, Terms, WOKEN_MAX,
    later,
};

/// Decides what has come with time: silences end, digests fall due.
///
/// A digest whose address has many messages yet to arrive goes on collecting. What was to happen later than it could
/// be, because the clock was set back, happens now. At most [`WOKEN_MAX`] of each are dealt with at once: then
/// [`Desk::wake_at`] is not after `now` still.
#[must_use]
pub fn wake(desk: &Desk, terms: &Terms, now: Timestamp) -> Vec<Change> {
    let mut draft = Draft::new(desk, now);
    let digests = desk.digests_by(now).chain(desk.digests_after(later(now, terms.hold())));
    for id in digests.take(WOKEN_MAX) {
        let Some(notification) = draft.notification_mut(id) else { continue };
        let to = notification.to.clone();
        let is_crowded = draft.is_crowded(terms, &to);
        let Some(notification) = draft.notification_mut(id) else { continue };
        if is_crowded {
            notification.delivery = Delivery::Held { until: later(now, terms.hold()) };
        } else {
            notification.made_at = now;
            notification.delivery = Delivery::Due { at: now };
        }
    }
    for id in desk.due_after(later(now, terms.retry_max)).take(WOKEN_MAX) {
        if let Some(notification) = draft.notification_mut(id) {
            notification.delivery = Delivery::Due { at: now };
        }
    }
    draft.changes()
}

/// Decides what follows from a try. Nothing if the notification is not known any more, or collects.
#[must_use]
pub fn delivered(
    desk: &Desk,
    terms: &Terms,
    now: Timestamp,
    id: NotificationId,
    outcome: Outcome,
) -> Vec<Change> {
    let mut draft = Draft::new(desk, now);
    let Some(known) = desk.notification(id) else { return draft.changes() };
    let is_due = match known.delivery {
        Delivery::Due { .. } => true,
        Delivery::GivenUp { .. } => false,
        Delivery::Held { .. } | Delivery::Delivered { .. } => return draft.changes(),
    };
    let channel = known.to.channel.clone();
    match outcome {
        Outcome::Arrived => {
            if let Some(notification) = draft.notification_mut(id) {
                notification.tries = notification.tries.saturating_add(1);
                notification.problem = String::new();
                notification.delivery = Delivery::Delivered { at: now };
            }
            channel_works(&mut draft, terms, &channel);
        }
        // A try that was begun before it was given up.
        Outcome::Refused { .. } | Outcome::Failed { .. } if !is_due => {}
        Outcome::Refused { problem } => {
            let problem = cut(problem);
            if let Some(notification) = draft.notification_mut(id) {
                notification.tries = notification.tries.saturating_add(1);
                notification.problem.clone_from(&problem);
                notification.delivery = Delivery::GivenUp { at: now };
            }
            channel_fails(&mut draft, terms, &channel, problem);
        }
        Outcome::Failed { problem } => {
            let problem = cut(problem);
            if let Some(notification) = draft.notification_mut(id) {
                try_later(notification, terms, now);
                notification.problem.clone_from(&problem);
            }
            channel_fails(&mut draft, terms, &channel, problem);
        }
    }
    draft.changes()
}

/// Says that a notification is to be tried now: one that waits for its next try, or was given up. That is one more
/// try, if its time is over.
///
/// Nothing if it is not known any more, or collects.
#[must_use]
pub fn retry(desk: &Desk, now: Timestamp, id: NotificationId) -> Vec<Change> {
    let mut draft = Draft::new(desk, now);
    let can_be_tried = |notification: &Notification| match notification.delivery {
        Delivery::Due { .. } | Delivery::GivenUp { .. } => true,
        Delivery::Held { .. } | Delivery::Delivered { .. } => false,
    };
    if desk.notification(id).is_some_and(can_be_tried)
        && let Some(notification) = draft.notification_mut(id)
    {
        notification.delivery = Delivery::Due { at: now };
    }
    draft.changes()
}

/// Counts a try that came to nothing, and says when the next is; the last is when the time is over.
fn try_later(notification: &mut Notification, terms: &Terms, now: Timestamp) {
    // A clock that was set back gives no more time than there is.
    notification.made_at = notification.made_at.min(now);
    let end = later(notification.made_at, terms.give_up_after);
    let pause = pause(terms, notification.tries);
    notification.tries = notification.tries.saturating_add(1);
    notification.delivery = if end <= now {
        Delivery::GivenUp { at: now }
    } else {
        Delivery::Due { at: later(now, pause).min(end) }
    };
}

/// The pause after a try that came to nothing, which that many others did before.
fn pause(terms: &Terms, tries: u32) -> Duration {
    let doubled = 2_i32.checked_pow(tries).and_then(|times| terms.retry_first.checked_mul(times));
    doubled.unwrap_or(terms.retry_max).min(terms.retry_max)
}

/// Counts a try that came to nothing. After some in a row the channel is in trouble, which is said on the others, and
/// said again while it lasts.
fn channel_fails(draft: &mut Draft<'_>, terms: &Terms, channel: &str, problem: String) {
    let known = draft.failing(channel);
    let tries = known.map_or(0, |failing| failing.tries).saturating_add(1);
    let since = known.map_or(draft.now, |failing| failing.since);
    draft.set_failing(channel, Some(Failing { tries, since, problem: problem.clone() }));
    if tries < CHANNEL_TRIES {
        return;
    }
    let open = draft.open_incident(&key(channel)).and_then(|id| draft.incident(id));
    let is_said =
        |last_at: Timestamp| last_at <= draft.now && draft.now < later(last_at, terms.remind_after);
    if open.is_some_and(|incident| is_said(incident.last_at)) {
        return;
    }
    let reason = format!(
        "nothing has arrived on the channel `{channel}` since {since:.0}; {tries} tries in a row failed: {problem}"
    );
    raise_one(draft, terms, &about(channel, AlertKind::ChannelTrouble, reason));
}

/// Something has arrived: what was wrong with the channel is over.
fn channel_works(draft: &mut Draft<'_>, terms: &Terms, channel: &str) {
    if draft.failing(channel).is_some() {
        draft.set_failing(channel, None);
    }
    let reason = format!("messages arrive on the channel `{channel}` again");
    raise_one(draft, terms, &about(channel, AlertKind::Recovered, reason));
}

fn key(channel: &str) -> IncidentKey {
    IncidentKey::Cause(format!("{CHANNEL}{channel}"))
}

fn about(channel: &str, kind: AlertKind, reason: String) -> Raised {
    Raised {
        kind,
        job: None,
        run: None,
        backfill: None,
        reason,
        retry_at: None,
        next_due_at: None,
        cause: Some(format!("{CHANNEL}{channel}")),
    }
}

/// At most [`PROBLEM_BYTES_MAX`] of a text.
fn cut(mut text: String) -> String {
    if text.len() > PROBLEM_BYTES_MAX {
        text.truncate(text.floor_char_boundary(PROBLEM_BYTES_MAX));
    }
    text
}
