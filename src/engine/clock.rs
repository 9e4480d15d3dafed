//! What is believed of the wall clock.
//!
//! A wall clock that jumps by more than an hour, while the boot clock says that no such time has passed, is doubted: until
//! the jump has held for five minutes, or an operator takes it for right, everything is decided as if the wall clock had
//! gone on as before. So a clock that somebody sets wrong for a moment neither starts a week of occurrences nor stops any.
//!
//! A jump back that is believed makes occurrences come again that were recorded as not run: what the latest record
//! without runs says of them is void. What a run stood for is never decided again.
//!
//! Knows the two clocks only by their readings. Forgotten when the process ends: another process has seen no jump.

use crate::model::{
    BootInstant, Duration, Intervention, Now, Progress, Stretch, Timestamp, just_before,
};

use super::Step;
use super::decision::Change;
use super::entry::{JobEntry, Timing};

/// By how much the wall clock may differ from what the boot clock explains before it is doubted.
const EXPLAINED: Duration = Duration::from_hours(1);
/// How long a jump has to hold before it is believed.
const HELD: Duration = Duration::from_mins(5);
/// How long the clocks are compared with one reading. Corrections that come in small steps are no jump.
const COMPARED_FOR: Duration = Duration::from_hours(1);

/// What is believed of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    /// The latest readings that are believed; `None` before the first.
    pub(super) anchor: Option<Now>,
    /// What is not believed.
    pub(super) doubt: Option<Doubt>,
}

/// A jump of the wall clock that is not believed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// When it was noticed.
    pub since: BootInstant,
    /// What the wall clock ought to have shown then.
    pub expected: Timestamp,
    /// What it showed.
    pub shown: Timestamp,
}

impl Doubt {
    /// How far the wall clock jumped; negative is back.
    #[must_use]
    pub fn jump(&self) -> Duration {
        self.shown.duration_since(self.expected)
    }

    /// What was noticed and what follows from it, as a sentence.
    pub(super) fn tell(&self) -> String {
        format!(
            "the wall clock has jumped from {:.3} to {:.3}: until that has held for five minutes, or somebody says that \
             it is right, occurrences are decided as if it had not",
            self.expected, self.shown
        )
    }
}

impl Clock {
    /// The jump that is not believed, if there is one.
    #[must_use]
    pub const fn doubt(&self) -> Option<&Doubt> {
        self.doubt.as_ref()
    }

    /// When a jump that goes on is believed.
    #[must_use]
    pub fn wake_at(&self) -> Option<BootInstant> {
        self.doubt.map(|doubt| doubt.since.saturating_add(HELD))
    }

    /// What the wall clock shows when the instant `at`, as it is believed, has come.
    #[must_use]
    pub fn shown_at(&self, at: Timestamp) -> Timestamp {
        let jump = self.doubt.map_or(Duration::ZERO, |doubt| doubt.jump());
        at.saturating_add(jump).unwrap_or(at)
    }

    /// The readings as they are believed.
    #[must_use]
    pub fn believed(&self, now: Now) -> Now {
        match (self.anchor, self.doubt) {
            (Some(anchor), Some(_)) => Now { wall: expected(anchor, now.boot), boot: now.boot },
            (Some(_) | None, None) | (None, Some(_)) => now,
        }
    }

    /// What is believed after these readings, if it is something else than before.
    pub(super) fn judged(&self, now: Now) -> Option<(Self, Judgement)> {
        let anchor = self.anchor?;
        let expected = expected(anchor, now.boot);
        let jump = now.wall.duration_since(expected);
        let believed = Self { anchor: Some(now), doubt: None };
        if jump.abs() <= EXPLAINED {
            if self.doubt.is_some() {
                return Some((believed, Judgement::TakenBack));
            }
            let is_old = now.boot.since(anchor.boot) >= COMPARED_FOR;
            return is_old.then_some((believed, Judgement::AsExpected));
        }
        let doubt = Doubt { since: now.boot, expected, shown: now.wall };
        let doubted = Self { anchor: Some(anchor), doubt: Some(doubt) };
        match self.doubt {
            Some(known) if known.jump().saturating_sub(jump).abs() > EXPLAINED => {
                Some((doubted, Judgement::Doubted(doubt)))
            }
            Some(known) if now.boot.since(known.since) >= HELD => {
                Some((believed, Judgement::Believed(known)))
            }
            Some(_) => None,
            None => Some((doubted, Judgement::Doubted(doubt))),
        }
    }
}

/// What the wall clock ought to show.
fn expected(anchor: Now, boot: BootInstant) -> Timestamp {
    anchor.wall.saturating_add(boot.since(anchor.boot)).unwrap_or(Timestamp::MAX)
}

/// What was found about the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    AsExpected,
    /// It has jumped.
    Doubted(Doubt),
    /// The jump was taken back.
    TakenBack,
    /// The jump has held.
    Believed(Doubt),
}

/// Compares the clocks, and has the rest of the step decide by what is believed.
pub(super) fn judge(step: &mut Step<'_>) {
    let shown = step.now;
    let clock = match step.state.clock().judged(shown) {
        None => *step.state.clock(),
        Some((clock, judgement)) => {
            step.change(Change::ClockJudged(clock));
            match judgement {
                Judgement::AsExpected => {}
                Judgement::Doubted(doubt) => {
                    step.warn(None, doubt.tell());
                }
                Judgement::TakenBack => {
                    step.warn(None, "the wall clock shows again what it should".to_owned());
                }
                Judgement::Believed(doubt) => {
                    step.now = shown;
                    believe(step, doubt);
                    return;
                }
            }
            clock
        }
    };
    step.now = clock.believed(shown);
}

/// Begins to compare the clocks from here on.
pub(super) fn begin(step: &mut Step<'_>) {
    step.change(Change::ClockJudged(Clock { anchor: Some(step.now), doubt: None }));
}

/// Takes a jump for right because somebody says so. Returns whether there was one.
pub(super) fn trust(step: &mut Step<'_>, by: &Intervention) -> bool {
    let Clock { anchor: Some(_), doubt: Some(doubt) } = *step.state.clock() else { return false };
    step.now = step.shown;
    step.change(Change::ClockJudged(Clock { anchor: Some(step.now), doubt: None }));
    step.warn(None, by.tell("said that the wall clock is right"));
    believe(step, doubt);
    true
}

/// What follows from a jump that is believed.
fn believe(step: &mut Step<'_>, doubt: Doubt) {
    step.warn(None, format!("the wall clock is believed from now on: it is {:.3}", step.now.wall));
    if doubt.jump().is_negative() {
        let state = step.state;
        for entry in state.jobs() {
            take_back(step, entry);
        }
    }
}

/// Makes occurrences come again that were recorded as not run, and that are still to come now.
fn take_back(step: &mut Step<'_>, entry: &JobEntry) {
    let Timing::Schedule(schedule) = &entry.timing else { return };
    let progress = step.progress(entry);
    let now = step.now.wall;
    let Some(stretch) = progress.stretch.clone().filter(|stretch| stretch.last_due_at > now) else {
        return;
    };
    if schedule.is_at_boot() || progress.decided_through <= now {
        return;
    }
    let before_first = just_before(stretch.first_due_at);
    let decided_through = now.max(before_first);
    let kept = schedule.stretch(before_first, decided_through, stretch.count.max(1));
    let stretch = match kept {
        Some(span) => {
            let kept = Stretch { last_due_at: span.last, count: span.count, ..stretch };
            step.change(Change::StretchStored(kept.clone()));
            Some(kept)
        }
        None => {
            step.change(Change::StretchVoided { sequence: stretch.sequence });
            None
        }
    };
    step.warn(
        Some(&entry.job.name),
        format!("what was recorded as not run after {decided_through:.3} is still to come: the clock was set back"),
    );
    step.store_progress(entry.incarnation, Progress { decided_through, stretch, ..progress });
}
