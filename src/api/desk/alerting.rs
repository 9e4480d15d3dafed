//! Who is told of what, as far as the caller may see it.

use super::Desk;
use crate::api::access::Scope;
use crate::api::backend::{
    ChannelView, IncidentView, IncidentsPage, IncidentsWanted, NotificationView, NotificationsPage,
    NotificationsWanted, Tried,
};
use crate::api::error::ApiError;
use crate::api::ours::incidents::unknown_incident;
use crate::model::{IncidentId, IncidentKey, JobName, NotificationId, Silence};

impl Desk {
    /// A page of the incidents of jobs in scope. An error is a sentence for the log.
    pub(crate) async fn incidents(&self, wanted: IncidentsWanted) -> Result<IncidentsPage, String> {
        let wanted = IncidentsWanted { scope: self.caller.scope.clone(), ..wanted };
        let now = self.almanac().now;
        self.door.backend.incidents(wanted, now).await
    }

    /// One of them, likewise.
    pub(crate) async fn incident(&self, id: IncidentId) -> Result<Option<IncidentView>, String> {
        let found = self.door.backend.incident(id).await?;
        Ok(found.and_then(|view| view.within(&self.caller.scope)))
    }

    /// A page of the notifications of jobs in scope. An error is a sentence for the log.
    pub(crate) async fn notifications(
        &self,
        wanted: NotificationsWanted,
    ) -> Result<NotificationsPage, String> {
        let wanted = NotificationsWanted { scope: self.caller.scope.clone(), ..wanted };
        self.door.backend.notifications(wanted).await
    }

    /// One of them, likewise.
    pub(crate) async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<NotificationView>, String> {
        let before = NotificationId(id.0.saturating_add(1));
        let wanted = NotificationsWanted {
            before: Some(before),
            limit: 1,
            ..NotificationsWanted::default()
        };
        let found = self.notifications(wanted).await?.notifications.into_iter().next();
        Ok(found.filter(|view| view.notification.id == id))
    }

    /// Until when nobody is told of a job in scope, if that is so.
    pub(crate) fn silence_of(&self, job: &JobName) -> Option<Silence> {
        self.in_scope(job)?;
        self.door.backend.silence_of(job)
    }

    /// The channels that are configured. What a channel answered may name whom it was sent to, so those who may see only
    /// some jobs hear that it fails and not why.
    pub(crate) fn channels(&self) -> Vec<ChannelView> {
        let mut channels = self.door.backend.channels();
        if let Scope::Only(_) = &self.caller.scope {
            for failing in channels.iter_mut().filter_map(|channel| channel.failing.as_mut()) {
                "messages do not arrive".clone_into(&mut failing.problem);
            }
        }
        channels
    }

    /// Sends what tells of nothing, and says what came of it. For those who may see everything: it reaches anybody.
    pub(crate) async fn try_channels(
        &self,
        channel: Option<String>,
        recipient: Option<String>,
    ) -> Result<Vec<Tried>, ApiError> {
        self.everything()?;
        let caller = &self.caller.name;
        tracing::info!("{caller} has the channels tried");
        Ok(self.door.backend.try_channels(channel, recipient).await)
    }

    /// An incident may be one of many jobs. Of one that is over the engine says so.
    pub(super) fn judge_incident(&self, scope: &Scope, id: IncidentId) -> Result<(), ApiError> {
        match self.door.backend.open_incident(id) {
            Some(IncidentKey::Job(job)) if !scope.covers(&job) => Err(unknown_incident(&id)),
            Some(IncidentKey::Job(_)) | None => Ok(()),
            Some(IncidentKey::Cause(_)) => self.everything(),
        }
    }
}
