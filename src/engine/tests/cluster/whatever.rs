//! Whatever happens to a cluster.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What may happen, in one word each.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Offers(u8),
    Lost(u8),
    Runs(u8),
    Ends,
    Denied,
    Gone,
    Joins,
    Restarts,
    Passes,
}

fn happens() -> impl Strategy<Value = Happens> {
    use Happens::{Denied, Ends, Gone, Joins, Lost, Offers, Passes, Restarts, Runs};
    prop_oneof![
        4 => any::<u8>().prop_map(Offers),
        1 => any::<u8>().prop_map(Lost),
        4 => any::<u8>().prop_map(Runs),
        3 => Just(Ends),
        1 => Just(Denied),
        1 => Just(Gone),
        2 => Just(Joins),
        1 => Just(Restarts),
        2 => Just(Passes),
    ]
}

/// The offers that one event brings, of up to three agents.
fn brought(bits: u8, ids: &mut u32) -> Vec<Offer> {
    let one = |index: u8| {
        *ids += 1;
        let agent = format!("a{}", (bits / 3 + index) % 4);
        offered(&format!("o{ids}"), &agent, amounts(u64::from(bits % 5) * 2, 900, 0))
    };
    (0..=bits % 3).map(one).collect()
}

/// Lets it happen, and all that follows from it.
fn let_happen(desk: &mut Desk, happens: Happens, offers: Vec<Offer>) -> Decision {
    match happens {
        Happens::Offers(_) => desk.handle(&Event::Offered(offers)),
        Happens::Lost(agent) => {
            desk.handle(&Event::AgentLost(AgentId::new(format!("a{}", agent % 4))))
        }
        Happens::Runs(which) => {
            let job = name(if which % 3 == 0 { "large" } else { "small" });
            desk.request(Request::RunJob { name: job, ask: Box::default() }).1
        }
        Happens::Ends | Happens::Denied => {
            let Some(attempt) = desk.state.runs().find_map(Run::live_attempt) else {
                return Decision::default();
            };
            let task = attempt.task_id.clone();
            let ends = matches!(happens, Happens::Ends);
            let ended = desk.ended(Exit::Code(0));
            desk.report(&task, if ends { ended } else { TaskStatus::NeverLaunched })
        }
        Happens::Gone => desk.disconnect(),
        Happens::Joins => join(desk),
        Happens::Restarts => {
            let term = Term(desk.state.term().0 + 1);
            desk.handle(&Event::Resumed { term })
        }
        Happens::Passes => {
            let span = Duration::from_secs(3);
            let wall = desk.now.wall.saturating_add(span).unwrap();
            desk.now = Now { wall, boot: desk.now.boot.saturating_add(span) };
            desk.handle(&Event::Woke)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No offer is held longer than a step; each is used or given back, once and never both; and the launcher knows
    /// whether anything waits.
    #[test]
    fn no_offer_is_held_and_the_launcher_knows_whether_anything_waits(
        all in prop::collection::vec(happens(), 1..60),
    ) {
        let mut desk = cluster();
        for (job, cpus) in [("small", 1), ("large", 6)] {
            let mut draft = draft(job, "R/2027-01-01T01:00:00Z/PT1H");
            draft.cpus = Some(Scalar::from_thousandths(cpus * 1_000));
            draft.overlap = Some(Overlap::Allow { max: None });
            desk.put(draft);
        }
        let mut told = Some(false);
        let mut ids = 0;
        for happens in all {
            if matches!(happens, Happens::Gone | Happens::Joins) {
                told = None;
            }
            let offers = match happens {
                Happens::Offers(bits) => brought(bits, &mut ids),
                _ => Vec::new(),
            };
            let given: BTreeSet<OfferId> = offers.iter().map(|offer| offer.id.clone()).collect();
            let decision = let_happen(&mut desk, happens, offers);
            prop_assert!(desk.state.offers().is_empty(), "offers are held");
            let (mut used, mut returned) = (BTreeSet::new(), Vec::new());
            for effect in &decision.effects {
                match effect {
                    Effect::Launch(launch) => used.extend(launch.offers.iter().cloned()),
                    Effect::Release(ids) => returned.extend(ids.iter().cloned()),
                    Effect::Demand(is_wanted) => told = Some(*is_wanted),
                    _ => {}
                }
            }
            let both = used.iter().chain(&returned).cloned();
            let dealt: BTreeSet<OfferId> = both.collect();
            prop_assert_eq!(used.len() + returned.len(), dealt.len(), "dealt with twice");
            prop_assert_eq!(dealt, given, "an offer was kept, or was not one of these");
            if desk.state.launcher_gone().is_none() && desk.state.listens_until().is_none() {
                prop_assert_eq!(told, Some(desk.state.pending_count() > 0));
            }
        }
    }
}
