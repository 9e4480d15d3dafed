//! What was done and refused, for those who may see everything.

use super::Desk;
use crate::api::error::ApiError;
use crate::audit;

impl Desk {
    /// The audit log, newest first: for those who may see everything.
    pub(crate) async fn audit(
        &self,
        filter: audit::Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<audit::Page, ApiError> {
        self.everything()?;
        let read = self.blocking(move |audit| audit.read(&filter, before, limit)).await;
        read.unwrap_or_else(|| Ok(audit::Page::default())).map_err(|error| {
            ApiError::internal("the audit log cannot be read; the log says why", error.to_string())
        })
    }
}
