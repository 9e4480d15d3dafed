//! Who may calculate, and who has to wait.
//!
//! What clients of Chronos read and what is to come wait in two rows, each with one calculation at a time: a long one
//! takes a core for a second, and the loop needs one too. In the second row nobody may have many places.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::not_calculated;
use crate::api::error::ApiError;

/// Forecasts, previews and pictures of one caller that are calculated or wait. A person looks at one or two; a client that asks
/// for all jobs does so one after the other.
const OF_ONE_CALLER_MAX: usize = 8;
/// When a caller who has that many should come back, in seconds.
const RETRY_SECS: u32 = 5;

/// Both rows.
pub(super) struct Calculations {
    reads: Arc<Semaphore>,
    forecasts: Arc<Semaphore>,
    /// Who has places in the second row.
    callers: Callers,
}

/// The right to calculate, until it is dropped.
pub(super) struct Turn {
    _place: Option<Place>,
    _permit: OwnedSemaphorePermit,
}

/// How many places each caller has.
#[derive(Clone, Default)]
pub(super) struct Callers(Arc<Mutex<BTreeMap<Arc<str>, usize>>>);

/// One of a caller's places, until it is dropped.
pub(crate) struct Place {
    callers: Callers,
    caller: Arc<str>,
}

impl Default for Calculations {
    fn default() -> Self {
        let one = || Arc::new(Semaphore::new(1));
        Self { reads: one(), forecasts: one(), callers: Callers::default() }
    }
}

impl Calculations {
    /// The turn of somebody who reads.
    pub(super) async fn read(&self) -> Result<Turn, ApiError> {
        turn(&self.reads, None).await
    }

    /// The turn of somebody who asks for what is to come.
    pub(super) async fn foretell(&self, caller: &Arc<str>) -> Result<Turn, ApiError> {
        let place = self.callers.take(caller, OF_ONE_CALLER_MAX).ok_or_else(|| {
            let message = format!(
                "{OF_ONE_CALLER_MAX} forecasts, previews and pictures of yours are calculated already"
            );
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_calculations", message)
                .remedy(format!("wait for their answers, or try again in {RETRY_SECS} s"))
                .header(RETRY_AFTER, HeaderValue::from(RETRY_SECS))
        })?;
        turn(&self.forecasts, Some(place)).await
    }
}

async fn turn(row: &Arc<Semaphore>, place: Option<Place>) -> Result<Turn, ApiError> {
    let permit = Arc::clone(row).acquire_owned().await;
    Ok(Turn { _place: place, _permit: permit.map_err(|error| not_calculated(&error))? })
}

impl Callers {
    /// Another place of a caller, who may have at most `most`.
    pub(super) fn take(&self, caller: &Arc<str>, most: usize) -> Option<Place> {
        let mut all = self.lock();
        let count = all.entry(Arc::clone(caller)).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(all);
        Some(Place { callers: self.clone(), caller: Arc::clone(caller) })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.callers.lock();
        let left = all.get_mut(&self.caller).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            all.remove(&self.caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_caller_has_few_places_and_holds_up_nobody_who_reads() {
        let all = Calculations::default();
        let (eve, bob): (Arc<str>, Arc<str>) = ("eve".into(), "bob".into());
        let first = all.foretell(&eve).await.unwrap();
        let mut waiting: Vec<_> =
            (1..OF_ONE_CALLER_MAX).map(|_| Box::pin(all.foretell(&eve))).collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none(), "it waits");
        }
        let refused = all.foretell(&eve).await.err().unwrap();
        assert_eq!((refused.status().as_u16(), refused.code()), (429, "too_many_calculations"));
        // Others wait in the same row, and whoever reads does not.
        let mut other = Box::pin(all.foretell(&bob));
        assert!(other.as_mut().now_or_never().is_none());
        assert!(all.read().now_or_never().is_some_and(|turn| turn.is_ok()));
        // Places are given back by whoever has been served and by whoever has gone away.
        drop((first, waiting));
        assert!(other.await.is_ok());
        assert!(all.foretell(&eve).await.is_ok());
        assert!(all.callers.lock().is_empty());
    }
}
