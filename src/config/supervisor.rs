//! The supervisor that started this process, as it says so in the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and
//! `WATCHDOG_PID`, as systemd and others that keep to its protocol do.
//!
//! These are no options: nobody types them, and no file may hold them.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::SocketAddr;

use super::source;
use crate::model::Duration;

/// Who wants to hear how this process is.
#[derive(Debug, Clone)]
pub struct Supervisor {
    /// Where it listens.
    pub socket: SocketAddr,
    /// After how long a silence it ends this process; `None` if it does not.
    pub watchdog: Option<Duration>,
}

/// The supervisor of the process with this number, if it has one.
///
/// # Errors
///
/// A sentence, if what the environment says of it cannot be understood: then it cannot be told anything.
pub fn supervisor(pid: u32) -> Result<Option<Supervisor>, String> {
    read(&source::process, pid)
}

fn read(
    variable: &dyn Fn(&str) -> Option<OsString>,
    pid: u32,
) -> Result<Option<Supervisor>, String> {
    let given = |name: &str| variable(name).filter(|text| !text.is_empty());
    let Some(name) = given("NOTIFY_SOCKET") else { return Ok(None) };
    let wrong = |why: &str| format!("NOTIFY_SOCKET `{}`: {why}", name.display());
    let socket = match name.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(&name),
        // What begins with `@` is in no directory, and begins with a zero byte on the wire.
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
        _ => return Err(wrong("expected the path of a socket, or `@` and a name")),
    };
    let socket = socket.map_err(|error| wrong(&error.to_string()))?;
    let number = |name: &str| {
        let Some(text) = given(name) else { return Ok(None) };
        let number = text.to_str().and_then(|text| text.parse::<i64>().ok());
        let is_sound = number.is_some_and(|number| number > 0);
        if is_sound { Ok(number) } else { Err(format!("{name} `{}`: no number", text.display())) }
    };
    // A shell between it and us passes the variables on, but is whom it meant.
    let is_meant = number("WATCHDOG_PID")?.is_none_or(|meant| meant == i64::from(pid));
    let watchdog = number("WATCHDOG_USEC")?.filter(|_| is_meant).map(Duration::from_micros);
    Ok(Some(Supervisor { socket, watchdog }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(variables: &[(&str, &str)]) -> Result<Option<Supervisor>, String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| OsString::from(text))
        };
        read(&find, 42)
    }

    #[test]
    fn sockets_have_a_path_or_a_name_of_their_own() {
        assert!(given(&[("WATCHDOG_USEC", "5")]).unwrap().is_none());
        assert!(given(&[("NOTIFY_SOCKET", "")]).unwrap().is_none());
        let path = given(&[("NOTIFY_SOCKET", "/run/notify")]).unwrap().unwrap();
        assert_eq!(path.socket.as_pathname().unwrap().to_str(), Some("/run/notify"));
        assert_eq!(path.watchdog, None);
        let name = given(&[("NOTIFY_SOCKET", "@a/b")]).unwrap().unwrap();
        assert_eq!(name.socket.as_abstract_name(), Some(&b"a/b"[..]));
        let long = format!("/{}", "x".repeat(200));
        for socket in ["run/notify", "vsock:2:1234", &long] {
            let problem = given(&[("NOTIFY_SOCKET", socket)]).unwrap_err();
            assert!(problem.starts_with("NOTIFY_SOCKET `"), "{problem}");
        }
    }

    #[test]
    fn a_watchdog_watches_the_process_that_it_names() {
        let watchdog = |variables: &[(&str, &str)]| {
            given(&[&[("NOTIFY_SOCKET", "@a")], variables].concat())
                .map(|supervisor| supervisor.unwrap().watchdog)
        };
        let second = Some(Duration::from_secs(1));
        assert_eq!(watchdog(&[("WATCHDOG_USEC", "1000000")]), Ok(second));
        let pid = |pid| watchdog(&[("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", pid)]);
        assert_eq!((pid("42"), pid("43")), (Ok(second), Ok(None)));
        for text in ["0", "-1", "soon"] {
            let problem = watchdog(&[("WATCHDOG_USEC", text)]).unwrap_err();
            assert_eq!(problem, format!("WATCHDOG_USEC `{text}`: no number"));
        }
    }
}
