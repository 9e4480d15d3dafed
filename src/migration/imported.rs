//! A job as it arrives, whatever it comes from.

use serde_json::{Map, Value};

use super::finding::{Finding, Weight, worst};
use crate::model::Timestamp;

/// A job as it arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its name, or what stands for it where it has none.
    pub name: String,
    /// Where it stands there, if that is another place for each job.
    pub place: Option<String>,
    /// As it was read.
    pub original: Value,
    /// What to store; `None` if it cannot be carried.
    pub body: Option<Map<String, Value>>,
    /// What is not the same, or not obvious.
    pub findings: Vec<Finding>,
    /// When each side has it next; of jobs with a schedule that has a start.
    pub upcoming: Option<Upcoming>,
}

impl Imported {
    /// Something in the place of a job that is none.
    #[must_use]
    pub fn unreadable(name: &str, why: &str) -> Self {
        let finding = Finding::new(Weight::NotCarried, "", "has it in its state", "cannot read it");
        let finding = finding.because(why).remedy("look at it with the tools of ZooKeeper");
        let name = name.to_owned();
        Self {
            name,
            place: None,
            original: Value::Null,
            body: None,
            findings: vec![finding],
            upcoming: None,
        }
    }

    /// Has it not carried: it is refused on the other side.
    pub fn refuse(&mut self, field: &str, there: &str, chronode: &str, remedy: &str) {
        self.body = None;
        self.findings.push(Finding::new(Weight::NotCarried, field, there, chronode).remedy(remedy));
    }

    /// What its findings come to.
    #[must_use]
    pub fn weight(&self) -> Weight {
        worst(&self.findings)
    }
}

/// When a job is due next, as each side has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upcoming {
    /// As the other scheduler will have it if nothing is late.
    pub there: Vec<Timestamp>,
    /// As Chronode has it.
    pub chronode: Vec<Timestamp>,
}

/// Whether a name fits a pattern in which `*` stands for anything and `?` for one character.
#[must_use]
pub fn is_selected(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star stands, and up to where it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => (p, n) = (p + 1, n + 1),
            Some(_) | None => match star {
                Some((at, eaten)) => {
                    star = Some((at, eaten + 1));
                    (p, n) = (at + 1, eaten + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
