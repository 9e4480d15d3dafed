//! What this process is on this machine: its user, its host's name, and which life of the machine it is.

use std::fs;

use crate::clock;
use crate::engine::Boot;
use crate::launcher::local;

/// The present life of this machine, or why nobody knows which it is.
pub(super) fn boot() -> Result<Boot, String> {
    let id = local::boot_id()
        .map_err(|error| format!("the boot id of this one cannot be read: {error}"))?;
    Ok(Boot { id, at: clock::machine_start() })
}

/// The system's name of this machine.
pub(super) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether this process may become any user.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The name of the user this process runs as; its number if it has no name.
pub(super) fn own_user() -> String {
    let own = rustix::process::geteuid().as_raw().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == own).then(|| name.to_owned())
    });
    name.unwrap_or(own)
}
