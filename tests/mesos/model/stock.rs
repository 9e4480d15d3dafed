//! Sums of resources: what an agent has, what is offered, what a task takes. Scalars are thousandths, as for a master.

use std::collections::BTreeMap;
use std::fmt;

use chronode::mesos::wire::{
    AllocationInfo, Range, Ranges, Reservation, Resource, Scalar, ValueType,
};

/// Which resource it is. The order is that in which a master lists them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    place: u8,
    pub(crate) name: String,
    /// The role it is reserved to; `*` is none.
    pub(crate) role: String,
    /// The role it is allocated to; empty while it is to none.
    pub(crate) allocated: String,
}

impl Kind {
    fn new(name: &str, role: &str, allocated: &str) -> Self {
        let place = match name {
            "ports" => 0,
            "cpus" => 1,
            "mem" => 2,
            "disk" => 3,
            _ => 4,
        };
        let (name, role, allocated) = (name.to_owned(), role.to_owned(), allocated.to_owned());
        Self { place, name, role, allocated }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Amount {
    Thousandths(i64),
    /// Sorted, apart from each other, both ends included.
    Stretches(Vec<(u64, u64)>),
}

/// Resources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stock(BTreeMap<Kind, Amount>);

impl Stock {
    /// What is listed, allocated to that role where it does not say.
    pub(crate) fn of(resources: &[Resource], allocated: &str) -> Self {
        let mut stock = Self::default();
        for resource in resources {
            let reserved = resource.reservations.last().and_then(|last| last.role.as_deref());
            let role = reserved.or(resource.role.as_deref()).unwrap_or("*");
            let given = resource.allocation_info.as_ref().and_then(|info| info.role.as_deref());
            let kind = Kind::new(&resource.name, role, given.unwrap_or(allocated));
            if let Some(scalar) = resource.scalar {
                stock.put(&kind, &Amount::Thousandths(thousandths(scalar.value)));
            } else if let Some(ranges) = &resource.ranges {
                let stretches = ranges.range.iter().map(|range| (range.begin, range.end)).collect();
                stock.put(&kind, &Amount::Stretches(joined(stretches)));
            }
        }
        stock
    }

    /// Unreserved scalars and ports, as an agent has them.
    pub(crate) fn simple(cpus: f64, mem: f64, disk: f64, ports: (u64, u64)) -> Self {
        let mut stock = Self::default();
        for (name, value) in [("cpus", cpus), ("mem", mem), ("disk", disk)] {
            stock.put(&Kind::new(name, "*", ""), &Amount::Thousandths(thousandths(value)));
        }
        stock.put(&Kind::new("ports", "*", ""), &Amount::Stretches(vec![ports]));
        stock
    }

    /// The same, with so much of it reserved to a role.
    pub(crate) fn reserving(mut self, role: &str, cpus: f64, mem: f64) -> Self {
        for (name, value) in [("cpus", cpus), ("mem", mem)] {
            let amount = Amount::Thousandths(thousandths(value));
            self.take(&Kind::new(name, "*", ""), &amount);
            self.put(&Kind::new(name, role, ""), &amount);
        }
        self
    }

    fn put(&mut self, kind: &Kind, amount: &Amount) {
        let sum = match (self.0.remove(kind), amount) {
            (Some(Amount::Thousandths(have)), Amount::Thousandths(more)) => {
                Amount::Thousandths(have + more)
            }
            (Some(Amount::Stretches(mut have)), Amount::Stretches(more)) => {
                have.extend(more);
                Amount::Stretches(joined(have))
            }
            (_, amount) => amount.clone(),
        };
        let is_nothing = match &sum {
            Amount::Thousandths(have) => *have == 0,
            Amount::Stretches(have) => have.is_empty(),
        };
        if !is_nothing {
            self.0.insert(kind.clone(), sum);
        }
    }

    fn take(&mut self, kind: &Kind, amount: &Amount) {
        let rest = match (self.0.remove(kind), amount) {
            (Some(Amount::Thousandths(have)), Amount::Thousandths(less)) => {
                Amount::Thousandths((have - less).max(0))
            }
            (Some(Amount::Stretches(have)), Amount::Stretches(less)) => {
                Amount::Stretches(without(have, less))
            }
            (Some(have), _) => have,
            (None, _) => return,
        };
        self.put(kind, &rest);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, amount) in &other.0 {
            self.put(kind, amount);
        }
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        for (kind, amount) in &other.0 {
            self.take(kind, amount);
        }
    }

    pub(crate) fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(kind, amount)| match (self.0.get(kind), amount) {
            (Some(Amount::Thousandths(have)), Amount::Thousandths(want)) => have >= want,
            (None, Amount::Thousandths(want)) => *want <= 0,
            (Some(Amount::Stretches(have)), Amount::Stretches(want)) => {
                without(want.clone(), have).is_empty()
            }
            (_, Amount::Stretches(want)) => want.is_empty(),
            (Some(Amount::Stretches(_)), Amount::Thousandths(_)) => false,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Thousandths of it, whatever it is reserved or allocated to.
    pub(crate) fn thousandths(&self, name: &str) -> i64 {
        self.0
            .iter()
            .filter(|(kind, _)| kind.name == name)
            .map(|(_, amount)| match amount {
                Amount::Thousandths(have) => *have,
                Amount::Stretches(_) => 0,
            })
            .sum()
    }

    /// Whether it is enough to be offered at all.
    pub(crate) fn is_worth_an_offer(&self) -> bool {
        self.thousandths("cpus") >= 10 || self.thousandths("mem") >= 32_000
    }

    /// What of it may be offered to a role, allocated to it.
    pub(crate) fn for_role(&self, role: &str) -> Self {
        let mut stock = Self::default();
        for (kind, amount) in &self.0 {
            if kind.role == "*" || kind.role == role {
                stock.put(&Kind::new(&kind.name, &kind.role, role), amount);
            }
        }
        stock
    }

    /// The same, allocated to nobody.
    pub(crate) fn unallocated(&self) -> Self {
        let mut stock = Self::default();
        for (kind, amount) in &self.0 {
            stock.put(&Kind::new(&kind.name, &kind.role, ""), amount);
        }
        stock
    }

    /// As on the wire: with the reservations themselves for a framework that knows them, else with the role.
    pub(crate) fn to_wire(&self, knows_reservations: bool) -> Vec<Resource> {
        let list = self.0.iter().map(|(kind, amount)| {
            let mut resource = Resource { name: kind.name.clone(), ..Resource::default() };
            match amount {
                Amount::Thousandths(have) => {
                    resource.kind = ValueType::Scalar;
                    resource.scalar = Some(Scalar { value: to_number(*have) });
                }
                Amount::Stretches(have) => {
                    resource.kind = ValueType::Ranges;
                    let range = have.iter().map(|&(begin, end)| Range { begin, end }).collect();
                    resource.ranges = Some(Ranges { range });
                }
            }
            if !knows_reservations {
                resource.role = Some(kind.role.clone());
            } else if kind.role != "*" {
                resource.reservations = vec![Reservation {
                    kind: Some("STATIC".to_owned()),
                    role: Some(kind.role.clone()),
                    ..Reservation::default()
                }];
            }
            if !kind.allocated.is_empty() {
                resource.allocation_info =
                    Some(AllocationInfo { role: Some(kind.allocated.clone()) });
            }
            resource
        });
        list.collect()
    }

    /// As in the sentences of a master, in this order of names, which is that of the task.
    pub(crate) fn sentence(&self, order: &[&str]) -> String {
        let mut parts: Vec<(usize, String)> = self
            .0
            .iter()
            .map(|(kind, amount)| {
                let place = order.iter().position(|name| *name == kind.name);
                let text = format!("{}(allocated: {}):{amount}", kind.name, kind.allocated);
                (place.unwrap_or(usize::MAX), text)
            })
            .collect();
        parts.sort_by_key(|(place, _)| *place);
        parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thousandths(have) => write!(f, "{}", to_number(*have)),
            Self::Stretches(have) => {
                let all: Vec<String> =
                    have.iter().map(|(begin, end)| format!("{begin}-{end}")).collect();
                write!(f, "[{}]", all.join(", "))
            }
        }
    }
}

pub(crate) fn thousandths(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "no agent has so much")]
    let whole = (value * 1_000.0).round() as i64;
    whole
}

fn to_number(thousandths: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no agent has so much")]
    let number = thousandths as f64 / 1_000.0;
    number
}

fn joined(mut stretches: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    stretches.sort_unstable();
    let mut out: Vec<(u64, u64)> = Vec::new();
    for (begin, end) in stretches {
        match out.last_mut() {
            Some(last) if begin <= last.1.saturating_add(1) => last.1 = last.1.max(end),
            _ => out.push((begin, end)),
        }
    }
    out
}

fn without(have: Vec<(u64, u64)>, less: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut rest = have;
    for &(from, to) in less {
        rest = rest
            .into_iter()
            .flat_map(|(begin, end)| {
                let before = (begin < from).then(|| (begin, end.min(from.saturating_sub(1))));
                let after = (end > to).then(|| (begin.max(to.saturating_add(1)), end));
                if end < from || begin > to { [Some((begin, end)), None] } else { [before, after] }
            })
            .flatten()
            .collect();
    }
    rest
}
