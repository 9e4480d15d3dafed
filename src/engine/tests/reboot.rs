//! Jobs that run at each start of the machine.

use super::*;

const NONE: [&str; 0] = [];

fn at_each_start() -> JobDraft {
    draft("job", "@reboot")
}

fn boot(id: &str, started: Timestamp) -> Boot {
    Boot { id: id.to_owned(), at: started }
}

impl Desk {
    /// The machine starts anew, and Chronode a moment later; the clock shows what it shows.
    fn reboot(&mut self, id: &str) {
        self.now.boot = BootInstant(Duration::from_secs(5));
        let started = self.now.wall - Duration::from_secs(5);
        self.load(Ok(boot(id, started)));
    }
}

#[test]
fn a_new_job_does_not_run_at_the_start_that_was_before_it() {
    let mut desk = Desk::new();
    let reply = desk.put(at_each_start());
    let (warnings, consequences) = (vec![], vec![]);
    assert_eq!(reply, Reply::Stored { created: true, revision: 1, warnings, consequences });
    assert_eq!((desk.live(), desk.unrun()), (vec![], vec![]));
    assert_eq!(desk.state.wake_at().wall, None);
    desk.restart();
    assert_eq!(desk.live(), NONE);
}

#[test]
fn each_start_of_the_machine_runs_it_once_and_a_start_of_chronode_does_not() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    desk.jump("03:00:00");
    desk.reboot("boot 2");
    assert_eq!(desk.live(), ["02:59:55 launching"]);
    let _ = desk.ends(Exit::Code(0));
    desk.restart();
    desk.jump("04:00:00");
    desk.restart();
    assert_eq!((desk.live(), desk.unrun()), (vec![], vec![]));
    assert!(!desk.state.job(&name("job")).unwrap().job.disabled, "there will be another start");
    desk.reboot("boot 3");
    assert_eq!(desk.live(), ["03:59:55 launching"]);
}

/// Its window opens when somebody can decide it, so it is never late.
#[test]
fn a_start_that_is_decided_hours_later_is_in_time() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    let _ = desk.disconnect();
    desk.jump("08:00:00");
    let machine = Ok(boot("boot 2", day("03:00:00")));
    desk.load(machine);
    assert_eq!(desk.live(), ["03:00:00 launching"]);
    let run = desk.state.runs().next().unwrap();
    let opens_at = day("08:00:00");
    assert_eq!(run.trigger, Trigger::Schedule { due_at: day("03:00:00"), opens_at });
}

#[test]
fn of_several_starts_without_chronode_only_the_present_one_is_decided() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    // Boots 2 and 3 came and went.
    desk.jump("09:00:00");
    desk.reboot("boot 4");
    assert_eq!((desk.live(), desk.unrun()), (vec!["08:59:55 launching".to_owned()], vec![]));
}

/// Such a machine has no battery for its clock.
#[test]
fn a_machine_whose_clock_begins_in_1970_at_each_start_names_its_starts_apart() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    let mut runs = std::collections::BTreeSet::new();
    for id in ["boot 2", "boot 3", "boot 4"] {
        desk.now.wall = at("1970-01-01T00:00:05Z");
        desk.reboot(id);
        let run = desk.state.runs().next().expect("it runs although its due instant is to come");
        assert_eq!(standing(run), "launching");
        assert!(runs.insert(run.id), "{} names two starts", run.id);
        let _ = desk.ends(Exit::Code(0));
        // Once the clock is right, nothing happens again.
        let _ = desk.wake("12:00:00");
        desk.restart();
        assert_eq!((desk.live(), desk.unrun()), (vec![], vec![]));
    }
}

#[test]
fn setting_the_clock_back_holds_up_no_start() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    desk.jump("03:00:00");
    desk.reboot("boot 2");
    let task = desk.task();
    let _ = desk.wake("02:00:00");
    let decision = desk.report(&task, TaskStatus::NeverLaunched);
    assert_eq!(done(&decision), "launch #0");
}

#[test]
fn a_disabled_job_skips_a_start_at_once() {
    let mut desk = Desk::new();
    let mut job = at_each_start();
    job.disabled = Some(true);
    desk.put(job);
    desk.jump("03:00:00");
    desk.reboot("boot 2");
    assert_eq!(desk.unrun(), ["1 skipped 02:59:55 to 02:59:55"]);
    desk.put(at_each_start());
    assert_eq!(desk.live(), NONE, "it is enabled too late for this start");
    desk.reboot("boot 3");
    assert_eq!(desk.live(), ["02:59:55 launching"]);
}

/// The machine's end ended the run too, and the launcher says so before the start is decided.
#[test]
fn a_run_that_went_down_with_the_machine_is_not_in_the_way_of_the_next_start() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    desk.jump("03:00:00");
    desk.reboot("boot 2");
    desk.running();
    let task = desk.task();
    desk.jump("05:00:00");
    desk.reboot("boot 3");
    assert_eq!(desk.live(), ["02:59:55 running"]);
    let reason = "the machine was started anew".to_owned();
    let _ = desk.report(&task, TaskStatus::InDoubt { reason, is_final: true });
    assert_eq!(desk.over(), ["02:59:55 lost"]);
    assert_eq!((desk.live(), desk.unrun()), (vec!["04:59:55 launching".to_owned()], vec![]));
}

/// A command that is still going is in the way of a start as of any occurrence.
#[test]
fn overlap_holds_for_starts_too() {
    for (overlap, live, unrun) in [
        (Overlap::Skip, vec!["00:00:00 launching"], vec!["1 skipped 02:59:55 to 02:59:55"]),
        (Overlap::Queue { max: 1 }, vec!["00:00:00 launching", "02:59:55 queued"], vec![]),
        (Overlap::Allow { max: None }, vec!["00:00:00 launching", "02:59:55 launching"], vec![]),
    ] {
        let mut desk = Desk::new();
        let mut job = at_each_start();
        job.overlap = Some(overlap);
        desk.put(job);
        desk.run_now();
        desk.jump("03:00:00");
        desk.reboot("boot 2");
        // Nobody says what became of the manual run.
        desk.now.boot = desk.now.boot.saturating_add(LISTEN_FOR);
        let _ = desk.handle(&Event::Woke);
        assert_eq!((desk.live(), desk.unrun()), (as_text(&live), as_text(&unrun)));
    }
}

fn as_text(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

#[test]
fn a_replace_does_not_repeat_a_start() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    desk.jump("03:30:00");
    desk.reboot("boot 2");
    let _ = desk.ends(Exit::Code(0));
    desk.put(at_each_start());
    assert_eq!(desk.live(), NONE);
    // Nor does one that has been something else meanwhile, over another start.
    desk.put(hourly());
    desk.reboot("boot 3");
    desk.put(at_each_start());
    assert_eq!(desk.live(), NONE);
    desk.reboot("boot 4");
    assert_eq!(desk.live(), ["03:29:55 launching"]);
}

#[test]
fn without_one_machine_it_is_refused_with_what_to_do() {
    let mut desk = Desk::new();
    desk.put(at_each_start());
    let said = desk.load(Err("this Chronode runs jobs on a cluster".to_owned()));
    let [said] = &said[..] else { panic!("{said:?}") };
    assert!(said.starts_with("it does not run") && said.contains("on a cluster"), "{said}");
    assert_eq!((desk.live(), desk.unrun()), (vec![], vec![]), "nothing is guessed");
    let Reply::Refused(rejection) = desk.put(at_each_start()) else { panic!("it was accepted") };
    assert_eq!((rejection.code, &*rejection.field), (RejectionCode::Unsupported, "schedule"));
    assert!(rejection.message.contains("runs jobs on a cluster"), "{}", rejection.message);
    assert!(rejection.remedy.contains("@hourly"), "{}", rejection.remedy);
}
