//! What is told once, because it holds for every line.

use super::import::{Daemon, Host, Settings};
use crate::migration::finding::{Finding, Weight};

/// What holds for every line.
pub(super) fn general(hosts: &[Host], settings: &Settings<'_>) -> Vec<Finding> {
    let mut found = vec![
        Finding::new(
            Weight::Changes,
            "mail",
            "mails what a command prints, whether or not something is wrong",
            "keeps what it prints, and tells the owner when a run fails, is missed or is late",
        ),
        Finding::new(
            Weight::Same,
            "overlap",
            "starts a command also while the one before it still runs",
            "does the same (`overlap: allow`); `overlap: skip` or `queue` is better for many",
        ),
        Finding::new(
            Weight::Same,
            "schedule",
            "runs what a change to summer time leaves out right after it, and what comes twice once",
            "does the same; lines whose minute or hour begins with `*` follow the clock on both sides",
        ),
        Finding::new(
            Weight::Changes,
            "catchUp",
            "knows nothing of what it did not run because it was down",
            "records each of these as missed; `catchUp: latest` runs the last of them late",
        ),
        Finding::new(
            Weight::Same,
            "command",
            "starts a command in the home of its user",
            "starts it in a directory of its own, so the command begins with `cd`",
        ),
        Finding::new(
            Weight::Changes,
            "environment",
            "sets HOME, LOGNAME, PATH and SHELL, and what `pam_env` and the table say",
            "sets these too, and USER, HOST, LANG as it has that itself, and names that begin with CHRONODE_, CHRONOS_ or MESOS_",
        ),
    ];
    if settings.daemon == Daemon::Debian && hosts.iter().any(|host| host.environment.is_none()) {
        found.push(
            Finding::new(
                Weight::Same,
                "environment",
                "adds what `/etc/environment` and `/etc/default/locale` say",
                "does not, because they were not read",
            )
            .remedy("give the machine's files as a tree, or set LANG in the table"),
        );
    }
    let named: Vec<&str> = hosts.iter().filter_map(|host| host.name.as_deref()).collect();
    if !named.is_empty() {
        found.push(
            Finding::new(
                Weight::Changes,
                "constraints",
                "runs on each machine for itself",
                &format!("needs Mesos agents on {}, of these very names", named.join(", ")),
            )
            .because("one Chronode without Mesos starts commands on its own machine alone")
            .remedy(
                "start Chronode with `--master`, or import the table of one machine without `--host` into a Chronode \
                 on it",
            ),
        );
    }
    if hosts.iter().any(|host| host.has_anacron) {
        found.push(
            Finding::new(
                Weight::Changes,
                "anacron",
                "leaves /etc/cron.daily, weekly and monthly to anacron, which is installed",
                "does not read /etc/anacrontab",
            )
            .remedy("remove anacron and import with `--split-run-parts`: `catchUp: latest` does what it is for"),
        );
    }
    found
}
