//! Whether another attempt follows a failed one, and when.
//!
//! Knows the job's terms and the attempts there were. The instant goes into the store with the run; within a process
//! the boot clock measures the pause, so that setting the wall clock neither shortens nor stretches it.

use crate::model::{
    Alarm, Attempt, AttemptState, Duration, Exit, Period, RetryEnds, RetryTerms, Run, RunId,
    Scalar, Timestamp, limits,
};
use crate::schedule::spread;

use super::Step;
use super::entry::JobEntry;

/// What follows a known failure.
pub(super) enum Next {
    /// Another attempt.
    Attempt(Alarm),
    /// None. Why it ends earlier than `retries` would have it, as a clause, where it does.
    None(Option<String>),
}

/// What follows the failure of the last attempt of `run`, which has ended as `exit`.
pub(super) fn after_failure(
    step: &Step<'_>,
    entry: Option<&JobEntry>,
    run: &Run,
    exit: &Exit,
) -> Next {
    // Nobody starts a deleted job again.
    let Some(entry) = entry else { return Next::None(None) };
    let failures = i64::try_from(failures(run)).unwrap_or(i64::MAX);
    if failures > entry.job.retries.clamp(0, limits::RETRIES_MAX) {
        return Next::None(None);
    }
    let terms = &entry.job.retry;
    if let Some(clause) = refused(&terms.ends, exit) {
        return Next::None(Some(clause));
    }
    let base = span_or(terms.delay.as_ref(), step.state.settings.retry_delay);
    let pause = match &terms.backoff {
        None => base,
        Some(backoff) => {
            let longest = span_or(backoff.max.as_ref(), Duration::MAX);
            let grown = grown(base, backoff.factor, failures - 1, longest);
            grown.saturating_add(share(grown, backoff.jitter, spread(run.id, failures)))
        }
    };
    let at = step.now.wall.saturating_add(pause).unwrap_or(Timestamp::MAX);
    if latest(entry, run).is_some_and(|latest| latest < at) {
        return Next::None(Some(too_late(terms)));
    }
    Next::Attempt(Alarm { at, boot: Some(step.now.boot.saturating_add(pause)) })
}

/// The last instant at which an attempt of `run` other than its first may begin, if there is one.
pub(super) fn latest(entry: &JobEntry, run: &Run) -> Option<Timestamp> {
    let until = entry.job.retry.until.as_ref()?;
    Some(run.trigger.due_at().saturating_add(until.span).unwrap_or(Timestamp::MAX))
}

/// Why no attempt follows after that, as a clause.
pub(super) fn too_late(terms: &RetryTerms) -> String {
    let until = terms.until.as_ref().map(|until| until.text.as_str()).unwrap_or_default();
    format!("another attempt would begin later than `retryUntil` ({until}) allows")
}

/// How many attempts of `run` have failed and are known to have.
fn failures(run: &Run) -> usize {
    let failed = |attempt: &&Attempt| match attempt.state {
        AttemptState::Ended { exit: Some(_), .. } => true,
        // Its job knew what the launcher did not.
        AttemptState::Ended { exit: None, .. } => attempt.reported.is_some(),
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Unknown { .. } => false,
    };
    run.attempts.iter().filter(failed).count()
}

/// Why no attempt follows such an end, if none does.
fn refused(ends: &RetryEnds, exit: &Exit) -> Option<String> {
    let code = match exit {
        Exit::Code(code) => Some(*code),
        Exit::Signal(_) | Exit::Killed | Exit::Failed { .. } | Exit::CouldNotStart { .. } => None,
    };
    match (ends, code) {
        (RetryEnds::All, _) | (RetryEnds::NotCodes(_), None) => None,
        (RetryEnds::Codes(codes), Some(code)) if codes.contains(&code) => None,
        (RetryEnds::Codes(_), _) => Some("`retryOn` does not name such an end".to_owned()),
        (RetryEnds::NotCodes(codes), Some(code)) => codes
            .contains(&code)
            .then(|| "`noRetryOn` names this exit code, so it is not tried again".to_owned()),
    }
}

fn span_or(period: Option<&Period>, default: Duration) -> Duration {
    period.map_or(default, |period| period.span)
}

/// `base` × `factor` ^ `times`, at most `longest`.
fn grown(base: Duration, factor: Scalar, times: i64, longest: Duration) -> Duration {
    let mut nanos = base.as_nanos();
    let longest = longest.as_nanos();
    for _ in 0..times {
        if nanos == 0 || nanos >= longest || factor <= Scalar::from_thousandths(1_000) {
            break;
        }
        nanos = nanos.saturating_mul(i128::from(factor.thousandths())) / 1_000;
    }
    Duration::from_nanos_i128(nanos.min(longest))
}

/// The share of `span` that is added to it: up to `jitter` of it, by a number from 0 to 1,000,000.
fn share(span: Duration, jitter: Scalar, millionths: u32) -> Duration {
    let most = span.as_nanos().saturating_mul(i128::from(jitter.thousandths())) / 1_000;
    Duration::from_nanos_i128(most.saturating_mul(i128::from(millionths)) / 1_000_000)
}

/// A number from 0 to 1,000,000 that the run and the count of its failures decide, always the same.
fn spread(run: RunId, failures: i64) -> u32 {
    let hash = spread::mix(spread::of_name(&run.to_string()), failures);
    u32::try_from(hash % 1_000_001).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Incarnation;

    fn secs(seconds: i64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_pause_grows_by_its_factor_up_to_the_longest() {
        let two = Scalar::from_thousandths(2_000);
        let pauses = [0, 1, 2, 5, 6, 1_000_000].map(|n| grown(secs(30), two, n, secs(900)));
        assert_eq!(pauses, [30, 60, 120, 900, 900, 900].map(secs));
        let half_more = Scalar::from_thousandths(1_500);
        assert_eq!(grown(secs(10), half_more, 2, Duration::MAX), Duration::from_millis(22_500));
        // Without an end it reaches what can be counted and stays there.
        assert_eq!(grown(secs(10), two, i64::MAX, Duration::MAX), Duration::MAX);
        assert_eq!(grown(Duration::ZERO, two, i64::MAX, Duration::MAX), Duration::ZERO);
        assert_eq!(grown(secs(10), Scalar::from_thousandths(1_000), i64::MAX, secs(99)), secs(10));
        // The longest also bounds a first pause that is longer.
        assert_eq!(grown(secs(60), two, 0, secs(20)), secs(20));
    }

    #[test]
    fn a_pause_is_longer_by_up_to_its_jitter() {
        let fifth = Scalar::from_thousandths(200);
        assert_eq!(share(secs(100), fifth, 0), Duration::ZERO);
        assert_eq!(share(secs(100), fifth, 500_000), secs(10));
        assert_eq!(share(secs(100), fifth, 1_000_000), secs(20));
    }

    /// Frozen: another value would move retries that are in the store.
    #[test]
    fn what_spreads_retries_never_changes_and_differs_from_run_to_run() {
        let of = |millis, failures| spread(RunId::manual(Incarnation(1), millis), failures);
        assert_eq!([of(0, 1), of(0, 2), of(1, 1)], [109_879, 542_286, 757_283]);
    }

    #[test]
    fn codes_decide_which_ends_are_final() {
        let only = RetryEnds::Codes(vec![75]);
        let never = RetryEnds::NotCodes(vec![2]);
        let ends = [Exit::Code(75), Exit::Code(2), Exit::Signal(9), Exit::Killed];
        let again = |rule: &RetryEnds| ends.clone().map(|exit| refused(rule, &exit).is_none());
        assert_eq!(again(&RetryEnds::All), [true, true, true, true]);
        assert_eq!(again(&only), [true, false, false, false]);
        assert_eq!(again(&never), [true, false, true, true]);
    }
}
