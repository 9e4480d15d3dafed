//! How often something happens and how long it takes, as Dropwizard tells it.
//!
//! Rates fade: one over a minute is the mean of the past in which what happened a minute ago counts little more than a
//! third. They move on every five seconds, looked after only when somebody marks or asks.

use std::collections::VecDeque;

use super::figures::Figures;
use crate::model::{BootInstant, Duration};

/// Values that figures are made of; the oldest goes.
pub const VALUES_MAX: usize = 1_028;

/// Between two moves of the rates.
const TICK_SECS: i64 = 5;
const MINUTES: [f64; 3] = [1.0, 5.0, 15.0];

/// How often something happens.
#[derive(Debug, Clone)]
pub struct Meter {
    count: u64,
    began: BootInstant,
    ticked: BootInstant,
    /// Marked since the last move.
    fresh: u64,
    /// Over one, five and fifteen minutes, each second; `None` before the first move.
    rates: Option<[f64; 3]>,
}

/// Rates, each second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// How often in all.
    pub count: u64,
    /// Since the beginning.
    pub mean: f64,
    /// Over the last one, five and fifteen minutes.
    pub recent: [f64; 3],
}

impl Meter {
    /// Begins to count.
    #[must_use]
    pub const fn new(now: BootInstant) -> Self {
        Self { count: 0, began: now, ticked: now, fresh: 0, rates: None }
    }

    /// It has happened.
    pub fn mark(&mut self, now: BootInstant) {
        self.tick(now);
        self.count += 1;
        self.fresh += 1;
    }

    /// How often it happens.
    pub fn rates(&mut self, now: BootInstant) -> Rates {
        self.tick(now);
        let age = now.since(self.began).as_secs_f64();
        let mean = if age > 0.0 { self.count as f64 / age } else { 0.0 };
        Rates { count: self.count, mean, recent: self.rates.unwrap_or_default() }
    }

    fn tick(&mut self, now: BootInstant) {
        let ticks = now.since(self.ticked).as_secs() / TICK_SECS;
        if ticks <= 0 {
            return;
        }
        self.ticked = self.ticked.saturating_add(Duration::from_secs(ticks * TICK_SECS));
        let rate = std::mem::take(&mut self.fresh) as f64 / TICK_SECS as f64;
        let fade = |index: usize| (-(TICK_SECS as f64) / 60.0 / MINUTES[index]).exp();
        let mut rates = match self.rates {
            None => [rate; 3],
            Some(mut rates) => {
                for (index, old) in rates.iter_mut().enumerate() {
                    *old += (1.0 - fade(index)) * (rate - *old);
                }
                rates
            }
        };
        // In the further ones nothing was marked.
        let idle = i32::try_from(ticks - 1).unwrap_or(i32::MAX);
        for (index, rate) in rates.iter_mut().enumerate() {
            *rate *= fade(index).powi(idle);
        }
        self.rates = Some(rates);
    }
}

/// The newest of many values.
#[derive(Debug, Clone, Default)]
pub struct Reservoir(VecDeque<u64>);

impl Reservoir {
    /// Takes a value in.
    pub fn add(&mut self, value: u64) {
        if self.0.len() == VALUES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// What the values come to.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures::of(&mut self.0.iter().copied().collect::<Vec<_>>())
    }
}

/// How often something is done and how long it takes.
#[derive(Debug, Clone)]
pub struct Timer {
    meter: Meter,
    micros: Reservoir,
}

impl Timer {
    /// Begins to count.
    #[must_use]
    pub fn new(now: BootInstant) -> Self {
        Self { meter: Meter::new(now), micros: Reservoir::default() }
    }

    /// It was done, and took so long.
    pub fn add(&mut self, now: BootInstant, took: Duration) {
        self.meter.mark(now);
        self.micros.add(u64::try_from(took.as_micros()).unwrap_or(0));
    }

    /// How often, and what the newest ones took, in microseconds.
    pub fn read(&mut self, now: BootInstant) -> (Rates, Figures) {
        (self.meter.rates(now), self.micros.figures())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> BootInstant {
        BootInstant(Duration::from_secs(secs))
    }

    #[test]
    fn a_rate_that_holds_is_told_and_fades_when_it_ends() {
        let mut meter = Meter::new(at(100));
        for second in 100..700 {
            meter.mark(at(second));
            meter.mark(at(second));
        }
        let rates = meter.rates(at(700));
        assert_eq!((rates.count, rates.mean), (1_200, 2.0));
        for rate in rates.recent {
            assert!((rate - 2.0).abs() < 1e-9, "{rates:?}");
        }
        let later = meter.rates(at(760));
        // After a minute a rate over a minute has fallen to 1/e.
        assert!((later.recent[0] - 2.0 / std::f64::consts::E).abs() < 1e-9, "{later:?}");
        assert!(later.recent[0] < later.recent[1] && later.recent[1] < later.recent[2]);
        let gone = meter.rates(at(i64::from(i32::MAX)));
        assert!(gone.recent[2] < 1e-9, "{gone:?}");
    }

    #[test]
    fn nothing_is_told_before_the_first_move_but_the_count() {
        let mut meter = Meter::new(at(0));
        meter.mark(at(0));
        let rates = meter.rates(at(0));
        assert_eq!(rates, Rates { count: 1, mean: 0.0, recent: [0.0; 3] });
        assert_eq!(meter.rates(at(4)).recent, [0.0; 3]);
        assert_eq!(meter.rates(at(5)).recent, [0.2; 3]);
    }

    #[test]
    fn figures_are_those_of_the_newest_values() {
        let mut reservoir = Reservoir::default();
        (0..2_000).for_each(|value| reservoir.add(value));
        let figures = reservoir.figures();
        assert_eq!((figures.count, figures.min, figures.max), (VALUES_MAX, 972, 1_999));
        let mut timer = Timer::new(at(0));
        timer.add(at(1), Duration::from_millis(3));
        let (rates, figures) = timer.read(at(1));
        assert_eq!((rates.count, figures.max), (1, 3_000));
    }
}
