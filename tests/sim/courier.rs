//! The couriers, one for each process, and the one place that all messages go to, which does not always say what it got.
//!
//! Chance is one of its own here, so that what happens to everything else stays what the seed decides.

use std::collections::BTreeMap;

use chronode::alerts::Outcome;
use chronode::engine::Event;
use chronode::model::{Delivery, NotificationId};

use super::house::{Life, Phase, ProcessId};
use super::plan::{MINUTE, SECOND};
use super::record::Record;
use super::rng::Rng;
use super::world::{Happening, World, say};

/// Messages that a courier has on their way at one time.
const PLACES: usize = 4;

/// How far a courier is with a message.
#[derive(Debug, Clone)]
enum Errand {
    /// It is on its way there or back.
    Gone,
    /// What came of it was said in that life of the process, or has still to be said.
    Said { outcome: Outcome, in_life: Option<Life> },
}

#[derive(Debug)]
pub(crate) struct Couriers {
    rng: Rng,
    errands: BTreeMap<(ProcessId, NotificationId), Errand>,
    /// What a process knows to have come of its last try.
    known: BTreeMap<(ProcessId, NotificationId), Outcome>,
    /// How often each message was received.
    pub(crate) received: BTreeMap<NotificationId, u64>,
}

impl Couriers {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = Rng::new(seed ^ 0x6e6f_7469_6679);
        Self { rng, errands: BTreeMap::new(), known: BTreeMap::new(), received: BTreeMap::new() }
    }
}

impl World {
    /// Every courier looks into the outbox of its process, and says what it has to say.
    pub(crate) fn send_couriers(&mut self) {
        for id in self.house.ids() {
            let is_leader = self.house.is_leader(id);
            let now = self.wall();
            let Some(process) = self.house.process(id) else { continue };
            // In the middle of a commit nothing new is known to be so.
            if !matches!(process.phase, Phase::Ready) || !process.inbox.is_empty() {
                continue;
            }
            let life = process.life;
            let mut says = Vec::new();
            let mut done = Vec::new();
            for ((of, message), errand) in &mut self.couriers.errands {
                match errand {
                    Errand::Said { outcome, in_life } if *of == id => match in_life {
                        Some(said_in) if *said_in == life => done.push((*message, outcome.clone())),
                        Some(_) | None => {
                            *in_life = Some(life);
                            let outcome = outcome.clone();
                            says.push(Event::Delivered { id: *message, outcome });
                        }
                    },
                    Errand::Gone | Errand::Said { .. } => {}
                }
            }
            for (message, outcome) in done {
                self.couriers.errands.remove(&(id, message));
                self.couriers.known.insert((id, message), outcome);
            }
            let mut places = self.couriers.errands.keys().filter(|(of, _)| *of == id).count();
            let mut leaves = Vec::new();
            for notification in process.working.state().alerts().outbox() {
                let is_due = matches!(notification.delivery, Delivery::Due { at } if at <= now);
                let errand = (id, notification.id);
                if places < PLACES && is_due && !self.couriers.errands.contains_key(&errand) {
                    places += 1;
                    leaves.push(notification.id);
                }
            }
            process.inbox.extend(says);
            for message in leaves {
                let known = self.couriers.known.get(&(id, message));
                check_leaves(&mut self.record, message, known, is_leader);
                self.couriers.errands.insert((id, message), Errand::Gone);
                let delay = match self.couriers.rng.between(0, 9) {
                    0 => self.couriers.rng.between(SECOND, MINUTE),
                    _ => self.couriers.rng.between(1_000, SECOND),
                };
                self.after(delay, Happening::Arrives { process: id, message });
            }
        }
    }

    /// A message gets there, or not, and whoever sent it hears of it, or not.
    pub(crate) fn arrives(&mut self, process: ProcessId, message: NotificationId) {
        let chance = self.couriers.rng.between(0, 99);
        let failed = || Outcome::Failed { problem: "no answer in time".to_owned() };
        let (is_there, outcome) = match chance {
            0..=9 if self.has_faults => (false, failed()),
            10..=19 if self.has_faults => (true, failed()),
            20 | 21 if self.has_faults => {
                (false, Outcome::Refused { problem: "nobody of that name".to_owned() })
            }
            _ => (true, Outcome::Arrived),
        };
        say!(self, "message {message}: {outcome:?}, there: {is_there}");
        if is_there {
            *self.couriers.received.entry(message).or_default() += 1;
        }
        if let Some(errand) = self.couriers.errands.get_mut(&(process, message)) {
            *errand = Errand::Said { outcome, in_life: None };
        }
    }

    /// A courier ends with its process. What has left arrives all the same.
    pub(crate) fn dismiss_courier(&mut self, process: ProcessId) {
        self.couriers.errands.retain(|(of, _), _| *of != process);
        self.couriers.known.retain(|(of, _), _| *of != process);
    }
}

/// A message is sent once more only if nobody knows that it has arrived, or was refused.
fn check_leaves(
    record: &mut Record,
    message: NotificationId,
    known: Option<&Outcome>,
    is_leader: bool,
) {
    if let Some(outcome @ (Outcome::Arrived | Outcome::Refused { .. })) = known {
        record.violations.push(format!("I9: {message} is sent again after {outcome:?}"));
    }
    let stored = record.told.notifications.get(&message);
    if is_leader && stored.is_none_or(|notification| notification.delivery.is_over()) {
        record.violations.push(format!("I9: {message} is sent, and is {stored:?}"));
    }
}
