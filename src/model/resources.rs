//! Amounts of processor, memory and disk.

use std::fmt;

/// A non-negative amount in thousandths of its unit (cpus, MiB).
///
/// An integer, because sums of offers must be exact. Thousandths, because that is the precision of Mesos' own scalars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Scalar(u64);

impl Scalar {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount accepted: 10¹² whole units. Keeps every sum of a million jobs inside 64 bits.
    pub const MAX: Self = Self(1_000_000_000_000_000);

    /// An amount given in thousandths of its unit; more than [`Self::MAX`] becomes that.
    #[must_use]
    pub const fn from_thousandths(thousandths: u64) -> Self {
        if thousandths > Self::MAX.0 { Self::MAX } else { Self(thousandths) }
    }

    /// The nearest amount to `units`, or `None` if it is negative, no number, or more than [`Self::MAX`].
    #[must_use]
    pub fn from_units(units: f64) -> Option<Self> {
        let thousandths = (units * 1000.0).round();
        #[expect(clippy::cast_precision_loss, reason = "MAX is below 2⁵³, so the cast is exact")]
        let max = Self::MAX.0 as f64;
        // `contains` is false for NaN.
        if !(0.0..=max).contains(&thousandths) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "just checked to be whole and within 0..=MAX"
        )]
        Some(Self(thousandths as u64))
    }

    /// The amount in thousandths of its unit.
    #[must_use]
    pub const fn thousandths(self) -> u64 {
        self.0
    }

    /// The amount in its unit.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "MAX is below 2⁵³, so the cast is exact")]
    pub fn units(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The sum, at most `u64::MAX` thousandths.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing if `other` is more.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Scalar {
    /// As Java prints a double of this size, which Chronos' clients read: always with a decimal point (`128.0`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.units())
    }
}

/// What an attempt wants, or what an agent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Resources {
    /// Processors.
    pub cpus: Scalar,
    /// Memory in MiB.
    pub mem: Scalar,
    /// Disk in MiB.
    pub disk: Scalar,
    /// Ports of the host: how many, whichever they are.
    pub ports: u32,
}

impl Resources {
    /// Whether all of `wanted` is there.
    #[must_use]
    pub fn hold(&self, wanted: &Self) -> bool {
        wanted.cpus <= self.cpus
            && wanted.mem <= self.mem
            && wanted.disk <= self.disk
            && wanted.ports <= self.ports
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpus: self.cpus.saturating_add(other.cpus),
            mem: self.mem.saturating_add(other.mem),
            disk: self.disk.saturating_add(other.disk),
            ports: self.ports.saturating_add(other.ports),
        }
    }

    /// What is left after `taken`; never less than nothing.
    #[must_use]
    pub fn minus(self, taken: Self) -> Self {
        Self {
            cpus: self.cpus.saturating_sub(taken.cpus),
            mem: self.mem.saturating_sub(taken.mem),
            disk: self.disk.saturating_sub(taken.disk),
            ports: self.ports.saturating_sub(taken.ports),
        }
    }
}
