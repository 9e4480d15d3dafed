//! Which of the offered resources count, and how a task's are picked from them.
//!
//! What counts is what any task may use up: not what may be taken away again (revocable), is used by several (shared),
//! is a disk of its own, or comes from a resource provider. Scalars are reckoned in thousandths, as Mesos does it.

use crate::mesos::wire::{Range, Ranges, Resource, Scalar as WireScalar, ValueType};
use crate::model::{Resources, Scalar};

/// The role of everybody.
const ANYBODY: &str = "*";

/// What of the offers of one agent is still free.
#[derive(Debug, Clone)]
pub struct Pool {
    /// What is reserved first, then the rest; within these as offered.
    parts: Vec<Part>,
}

/// What a task gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// As it is said to the master: each of them is part of one that was offered, and echoes its role and reservations.
    pub resources: Vec<Resource>,
    /// The ports, from the lowest.
    pub ports: Vec<u64>,
}

/// One resource that was offered, and what is left of it.
#[derive(Debug, Clone)]
struct Part {
    offered: Resource,
    left: Amount,
}

#[derive(Debug, Clone)]
enum Amount {
    /// Thousandths.
    Scalar(u64),
    /// Sorted, apart from one another, none empty.
    Ranges(Vec<Range>),
}

impl Pool {
    /// The pool of all that counts of `offered`, for a framework of these roles.
    pub fn new<'a>(offered: impl IntoIterator<Item = &'a Resource>, roles: &[String]) -> Self {
        let mut parts: Vec<Part> = offered
            .into_iter()
            .filter(|resource| counts(resource, roles))
            .filter_map(|resource| {
                let left = amount(resource)?;
                Some(Part { offered: resource.clone(), left })
            })
            .collect();
        parts.sort_by_key(|part| !is_reserved(&part.offered));
        Self { parts }
    }

    /// How much there is in all.
    #[must_use]
    pub fn total(&self) -> Resources {
        Resources {
            cpus: self.scalar("cpus"),
            mem: self.scalar("mem"),
            disk: self.scalar("disk"),
            ports: self.ports(),
        }
    }

    /// Takes exactly what is wanted, or nothing if it is not there.
    pub fn take(&mut self, wanted: &Resources) -> Option<Picked> {
        if !self.total().hold(wanted) {
            return None;
        }
        let Resources { cpus, mem, disk, ports } = *wanted;
        let mut resources = Vec::new();
        for (name, amount) in [("cpus", cpus), ("mem", mem), ("disk", disk)] {
            self.take_scalar(name, amount, &mut resources);
        }
        let ports = self.take_ports(ports, &mut resources);
        Some(Picked { resources, ports })
    }

    fn scalar(&self, name: &str) -> Scalar {
        self.parts.iter().filter(|part| part.offered.name == name).fold(
            Scalar::ZERO,
            |sum, part| match part.left {
                Amount::Scalar(left) => sum.saturating_add(Scalar::from_thousandths(left)),
                Amount::Ranges(_) => sum,
            },
        )
    }

    fn ports(&self) -> u32 {
        let ranges = self.parts.iter().filter(|part| part.offered.name == "ports");
        let count = ranges.fold(0_u64, |sum, part| match &part.left {
            Amount::Scalar(_) => sum,
            Amount::Ranges(ranges) => ranges.iter().fold(sum, |sum, range| {
                sum.saturating_add((range.end - range.begin).saturating_add(1))
            }),
        });
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn take_scalar(&mut self, name: &str, wanted: Scalar, taken: &mut Vec<Resource>) {
        let mut wanted = wanted.thousandths();
        for part in self.parts.iter_mut().filter(|part| part.offered.name == name) {
            let Amount::Scalar(left) = &mut part.left else { continue };
            let share = wanted.min(*left);
            if share == 0 {
                continue;
            }
            *left -= share;
            wanted -= share;
            add_scalar(taken, &part.offered, share);
        }
    }

    fn take_ports(&mut self, wanted: u32, taken: &mut Vec<Resource>) -> Vec<u64> {
        let mut ports = Vec::new();
        for part in self.parts.iter_mut().filter(|part| part.offered.name == "ports") {
            let Amount::Ranges(left) = &mut part.left else { continue };
            let missing = u64::from(wanted) - ports.len() as u64;
            let got = lowest(left, missing);
            if got.is_empty() {
                continue;
            }
            ports.extend(got.iter().flat_map(|range| range.begin..=range.end));
            taken.push(Resource {
                scalar: None,
                ranges: Some(Ranges { range: got }),
                ..part.offered.clone()
            });
        }
        ports
    }
}

/// Adds to what is taken already of the same kind, so that each kind stands there once.
fn add_scalar(taken: &mut Vec<Resource>, offered: &Resource, share: u64) {
    let of =
        |thousandths| Some(WireScalar { value: Scalar::from_thousandths(thousandths).units() });
    let like = |other: &Resource| Resource { scalar: offered.scalar, ..other.clone() } == *offered;
    match taken.iter_mut().find(|other| like(other)) {
        Some(other) => {
            let had = other.scalar.and_then(|it| Scalar::from_units(it.value)).unwrap_or_default();
            other.scalar = of(had.thousandths().saturating_add(share));
        }
        None => taken.push(Resource { scalar: of(share), ..offered.clone() }),
    }
}

/// Takes the lowest `count` numbers out of `ranges`, or all if there are fewer.
fn lowest(ranges: &mut Vec<Range>, mut count: u64) -> Vec<Range> {
    let mut taken = Vec::new();
    while count > 0 && !ranges.is_empty() {
        let first = &mut ranges[0];
        let size = (first.end - first.begin).saturating_add(1);
        if size <= count {
            count -= size;
            taken.push(ranges.remove(0));
        } else {
            taken.push(Range { begin: first.begin, end: first.begin + count - 1 });
            first.begin += count;
            count = 0;
        }
    }
    taken
}

/// Whether a resource is one that tasks of a framework of these roles may use up.
fn counts(resource: &Resource, roles: &[String]) -> bool {
    let Resource {
        name,
        kind,
        scalar,
        ranges,
        set: _,
        role: _,
        reservation: _,
        reservations: _,
        allocation_info: _,
        disk,
        revocable,
        shared,
        provider_id,
    } = resource;
    let is_known = match (name.as_str(), kind) {
        ("cpus" | "mem" | "disk", ValueType::Scalar) => scalar.is_some(),
        ("ports", ValueType::Ranges) => ranges.is_some(),
        (_, ValueType::Scalar | ValueType::Ranges | ValueType::Set | ValueType::Text)
        | (_, ValueType::Other) => false,
    };
    let is_plain =
        disk.is_none() && revocable.is_none() && shared.is_none() && provider_id.is_none();
    let is_ours = reserved_to(resource)
        .is_none_or(|role| roles.iter().any(|ours| ours == role || is_below(ours, role)));
    is_known && is_plain && is_ours
}

/// Whether `role` is one of the branches of `above`: what is reserved to that may be allocated to it.
fn is_below(role: &str, above: &str) -> bool {
    role.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

fn is_reserved(resource: &Resource) -> bool {
    reserved_to(resource).is_some()
}

/// To whom it is reserved: the innermost reservation counts.
fn reserved_to(resource: &Resource) -> Option<&str> {
    match resource.reservations.last() {
        Some(reservation) => reservation.role.as_deref(),
        None => resource.role.as_deref(),
    }
    .filter(|role| *role != ANYBODY)
}

/// How much it is; `None` for what makes no sense.
fn amount(resource: &Resource) -> Option<Amount> {
    match resource.kind {
        ValueType::Scalar => {
            let amount = Scalar::from_units(resource.scalar?.value)?;
            Some(Amount::Scalar(amount.thousandths()))
        }
        ValueType::Ranges => {
            let mut ranges: Vec<Range> = resource.ranges.as_ref()?.range.clone();
            ranges.retain(|range| range.begin <= range.end);
            ranges.sort_unstable();
            let mut apart: Vec<Range> = Vec::with_capacity(ranges.len());
            for range in ranges {
                match apart.last_mut() {
                    Some(last) if range.begin <= last.end => last.end = last.end.max(range.end),
                    Some(_) | None => apart.push(range),
                }
            }
            Some(Amount::Ranges(apart))
        }
        ValueType::Set | ValueType::Text | ValueType::Other => None,
    }
}
