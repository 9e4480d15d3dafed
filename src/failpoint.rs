//! Named points at which a test can make the process die, stop, hang or panic.
//!
//! Compiled in only with the feature `failpoints`, which no release has. A point is armed by the environment variable
//! `CHRONODE_FAILPOINT=<name>=<action>[@<n>]`: at the n-th passing (the first by default) the process kills itself
//! (`kill`), stops itself (`stop`) or panics (`panic`), or the thread goes no further (`hang`). The list of names is
//! [`NAMES`]; a test goes through all of it.

/// Every point, in the order in which one run passes them.
pub const NAMES: &[&str] = &[
    "batch.before_commit",
    "batch.after_commit",
    "launch.before_ask",
    "launch.after_ask",
    "status.before_acknowledge",
    "reply.before_send",
    "store.before_begin",
    "store.before_commit",
    "store.after_commit",
    "courier.after_send",
    "keeper.before_claim",
    "keeper.after_claim",
    "keeper.after_start",
    "keeper.before_report",
    "keeper.after_acknowledge",
];

/// Passes the point of that name. Nothing at all without the feature.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {{
        #[cfg(feature = "failpoints")]
        $crate::failpoint::pass($name);
    }};
}

/// The variable that arms a point, for a process that is started with an environment of its own. Nothing without the
/// feature.
#[must_use]
pub fn inherited() -> Option<(&'static str, std::ffi::OsString)> {
    #[cfg(feature = "failpoints")]
    #[expect(clippy::disallowed_methods, reason = "a test arms points from outside")]
    return std::env::var_os(VARIABLE).map(|armed| (VARIABLE, armed));
    #[cfg(not(feature = "failpoints"))]
    None
}

#[cfg(feature = "failpoints")]
const VARIABLE: &str = "CHRONODE_FAILPOINT";

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        action: String,
        left: AtomicU64,
    }

    fn armed() -> Option<&'static Armed> {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "a test arms points from outside")]
        let read = || {
            let text = std::env::var(super::VARIABLE).ok()?;
            let (name, action) = text.split_once('=')?;
            let (action, count) = action.split_once('@').unwrap_or((action, "1"));
            Some(Armed {
                name: name.to_owned(),
                action: action.to_owned(),
                left: AtomicU64::new(count.parse().ok()?),
            })
        };
        ARMED.get_or_init(read).as_ref()
    }

    /// Does what the point is armed for.
    pub fn pass(name: &str) {
        debug_assert!(super::NAMES.contains(&name), "failpoint `{name}` is not in the list");
        let Some(armed) = armed().filter(|armed| armed.name == name) else { return };
        if armed.left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        let own = rustix::process::getpid();
        // The signal cannot fail: it is our own process, and it is there.
        let _ = match armed.action.as_str() {
            "kill" => rustix::process::kill_process(own, rustix::process::Signal::KILL),
            "hang" => loop {
                std::thread::park();
            },
            "stop" => rustix::process::kill_process(own, rustix::process::Signal::STOP),
            other => panic!("failpoint {name}: {other}"),
        };
    }
}

#[cfg(feature = "failpoints")]
pub use armed::pass;
