//! A wall clock that jumps.

use super::operate::{kim, refusal};
use super::*;

const NONE: [&str; 0] = [];

/// A quarter of a day is nothing that the boot clock explains.
#[test]
fn a_clock_that_jumps_is_believed_once_it_has_held_or_somebody_says_so() {
    for is_confirmed in [false, true] {
        let mut desk = Desk::new();
        desk.put(hourly());
        desk.jump("00:30:00");
        desk.now.wall = day("06:30:00");
        let _ = desk.handle(&Event::Woke);
        assert!(desk.state.clock().doubt().is_some());
        assert_eq!(desk.unrun(), NONE, "nothing of the jumped stretch is decided");
        if is_confirmed {
            assert_eq!(desk.request(Request::TrustClock { by: kim("") }).0, Reply::Done);
        } else {
            let _ = desk.wake("06:34:59");
            assert_eq!(desk.unrun(), NONE);
            let _ = desk.wake("06:35:00");
        }
        assert!(desk.state.clock().doubt().is_none());
        assert_eq!(desk.unrun(), ["6 missed 01:00:00 to 06:00:00"]);
        let refused = refusal(&desk.request(Request::TrustClock { by: kim("") }).0);
        assert_eq!(refused, "impossible: the wall clock is not doubted");
    }
}

#[test]
fn a_jump_that_is_taken_back_was_nothing_and_time_goes_on_meanwhile() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.jump("00:59:00");
    desk.now.wall = day("12:59:00");
    let _ = desk.handle(&Event::Woke);
    // An hour by the clock that is believed has come, whatever the other shows.
    let _ = desk.wake("13:00:00");
    assert_eq!(desk.live(), ["01:00:00 launching"]);
    let _ = desk.ends(Exit::Code(0));
    desk.now.wall = day("01:01:00");
    let _ = desk.handle(&Event::Woke);
    assert!(desk.state.clock().doubt().is_none());
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["02:00:00 launching"]);
    assert_eq!(desk.unrun(), NONE);
}

/// The clock was wrong for long enough to be believed, and is set right.
#[test]
fn what_was_missed_by_a_wrong_clock_comes_again_and_what_ran_does_not() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    desk.now.wall = day("09:30:00");
    let _ = desk.handle(&Event::Woke);
    let _ = desk.wake("09:35:00");
    assert_eq!(desk.unrun(), ["8 missed 02:00:00 to 09:00:00"]);
    desk.now.wall = day("03:30:00");
    let _ = desk.handle(&Event::Woke);
    let _ = desk.wake("03:35:00");
    assert_eq!(desk.unrun(), ["2 missed 02:00:00 to 03:00:00"]);
    let _ = desk.wake("04:00:00");
    assert_eq!(desk.live(), ["04:00:00 launching"]);
    assert_eq!(desk.over(), ["01:00:00 succeeded"]);
}

#[test]
fn a_doubt_is_forgotten_at_a_restart() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.jump("00:30:00");
    desk.now.wall = day("06:30:00");
    let _ = desk.handle(&Event::Woke);
    assert!(desk.state.clock().doubt().is_some());
    desk.restart();
    assert!(desk.state.clock().doubt().is_none());
    let _ = desk.wake("06:30:10");
    assert_eq!(desk.unrun(), ["6 missed 01:00:00 to 06:00:00"]);
}
