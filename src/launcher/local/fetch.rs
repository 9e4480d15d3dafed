//! Downloads for a run: the hidden subcommand `fetch`, which becomes the command when it is done.
//!
//! The keeper starts it in the place of the command: same session, user, directory, environment and limits, so that
//! whatever is true of the command (it can be killed, it may not read other users' files) is true of its downloads.
//! Instructions come as JSON on standard input, a socket, over which it tells how it went:
//!
//! | it says | then | means |
//! |---|---|---|
//! | `starting` | the end | the command runs: the socket closed as it became the command |
//! | `starting` | `failed` | the command could not be executed |
//! | `failed` | | a download went wrong; details are in the run's `stderr` |
//! | nothing | the end | it was killed |
//!
//! Names, extensions and flags are those of Mesos' fetcher. Nothing is cached.

use std::convert::Infallible;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Component, Path};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::command;
use super::output::Stream;
use super::protocol::{CommandWire, FetchWire, line};
use crate::model::{self, Fetch, Launch};

/// Time for one download. A command that must wait longer for its data should fetch them itself.
const DOWNLOAD_MAX: Duration = Duration::from_secs(3_600);
/// Time until a server answers the call.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// Bytes of one download.
const BYTES_MAX: u64 = 16 << 30;

/// What the keeper says.
#[derive(Debug, Serialize, Deserialize)]
struct Instructions {
    fetch: Vec<FetchWire>,
    command: CommandWire,
    /// The `PATH` that the command is looked up in, for the sentence about its absence.
    path: String,
}

/// What is said to the keeper.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Starting,
    Failed { reason: String },
}

/// Why the command did not start. It has been told to the keeper.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// The instructions for the downloads of `launch`, whose `PATH` is `default_path` if it brings none.
pub(super) fn instructions(launch: &Launch, default_path: &str) -> Vec<u8> {
    let path = launch.environment.iter().rev().find(|(name, _)| name == "PATH");
    line(&Instructions {
        fetch: launch.fetch.iter().cloned().map(FetchWire::from).collect(),
        command: launch.command.clone().into(),
        path: path.map_or(default_path, |(_, value)| value).to_owned(),
    })
}

/// What became of the downloads, from all that was said.
pub(super) fn outcome(lines: impl Iterator<Item = String>) -> Result<(), String> {
    let mut outcome = Err("its downloads were interrupted".to_owned());
    for line in lines {
        match serde_json::from_str(&line) {
            Ok(Said::Starting) => outcome = Ok(()),
            Ok(Said::Failed { reason }) => outcome = Err(reason),
            // The job's own processes may hold the socket only if they mean mischief; then it is theirs alone.
            Err(_) => {}
        }
    }
    outcome
}

/// Downloads what standard input says into the working directory and becomes the command.
///
/// Meant to be the whole of a process.
///
/// # Errors
///
/// [`Error`], if there is no command to become.
pub fn run() -> Result<Infallible, Error> {
    let socket = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let mut socket =
        socket.map_err(|error| Error(format!("there is no standard input: {error}")))?;
    let reason = match become_command(&mut socket) {
        Ok(never) => match never {},
        Err(reason) => reason,
    };
    complain(&reason);
    // If nobody listens, nobody wants to know.
    let _ = socket.write_all(&line(&Said::Failed { reason: reason.clone() }));
    Err(Error(reason))
}

fn become_command(socket: &mut UnixStream) -> Result<Infallible, String> {
    let mut text = Vec::new();
    let read = socket.read_to_end(&mut text);
    read.map_err(|error| format!("the instructions for its downloads did not come: {error}"))?;
    let instructions: Instructions = serde_json::from_slice(&text)
        .map_err(|error| format!("the instructions for its downloads cannot be read: {error}"))?;
    let Instructions { fetch, command: wire, path } = instructions;
    for fetch in fetch.into_iter().map(Fetch::from) {
        get(&fetch)
            .map_err(|why| format!("`{}` could not be fetched: {why}", shown(&fetch.uri)))?;
    }
    let _ = socket.write_all(&line(&Said::Starting));
    let wanted = model::Command::from(wire);
    // The descriptor that we speak through is closed by `exec`; standard input becomes what a command's is.
    let error = command::build(&wanted).stdin(Stdio::null()).exec();
    Err(command::explain(&error, &wanted, &path))
}

/// Into the run's `stderr`.
fn complain(about: &str) {
    let _ = writeln!(io::stderr(), "[chronode: {about}]");
}

/// The address without what may be secret in it: user, password, query.
fn shown(uri: &str) -> String {
    let (place, query) = uri.split_once('?').map_or((uri, ""), |(place, _)| (place, "?…"));
    let place = match place.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.split('/').next().unwrap_or(rest);
            let user = authority.rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[user..])
        }
        None => place.to_owned(),
    };
    format!("{place}{query}")
}

fn get(fetch: &Fetch) -> Result<(), String> {
    let Fetch { uri, executable, cache: _, extract, output_file } = fetch;
    let name = local_name(uri, output_file)?;
    if let Some(parent) = Path::new(name).parent() {
        fs::create_dir_all(parent).map_err(|error| error.to_string())?;
    }
    let mut source = open(uri)?;
    let mut file = File::create(name).map_err(|error| format!("`{name}`: {error}"))?;
    let copied = io::copy(&mut source.as_mut().take(BYTES_MAX + 1), &mut file);
    match copied {
        Ok(count) if count > BYTES_MAX => {
            return Err(format!("it has more than {BYTES_MAX} bytes: let the command fetch it"));
        }
        Ok(_) => {}
        Err(error) => return Err(format!("it broke off: {error}")),
    }
    if *executable {
        let mode = Permissions::from_mode(0o755);
        return fs::set_permissions(name, mode).map_err(|error| format!("`{name}`: {error}"));
    }
    if *extract { unpack(name) } else { Ok(()) }
}

/// The name in the working directory: the one asked for, or what follows the last `/`, query and all, as in Mesos.
fn local_name<'a>(uri: &'a str, output_file: &'a str) -> Result<&'a str, String> {
    let name = match output_file {
        "" => uri.rsplit('/').next().unwrap_or_default(),
        given => given,
    };
    let is_inside = !name.is_empty()
        && !name.ends_with('/')
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside {
        return Err(format!(
            "`{name}` is no file name in the working directory: set `output_file`"
        ));
    }
    let is_taken = [Stream::Stdout, Stream::Stderr].iter().any(|stream| {
        name == stream.file_name() || name == stream.tail_name() || name == stream.cut_name()
    });
    if is_taken {
        return Err(format!("`{name}` is where the run's output goes: set another `output_file`"));
    }
    Ok(name)
}

fn open(uri: &str) -> Result<Box<dyn Read>, String> {
    let lower = uri.to_ascii_lowercase();
    if lower.starts_with("http://") || lower.starts_with("https://") {
        return download(uri);
    }
    let path = if lower.starts_with("file://localhost/") {
        &uri["file://localhost".len()..]
    } else if lower.starts_with("file://") {
        &uri["file://".len()..]
    } else if lower.starts_with("file:") {
        &uri["file:".len()..]
    } else {
        uri
    };
    if !path.starts_with('/') {
        return Err("only `http`, `https`, `file` and absolute paths can be fetched".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("it is no plain file".to_owned());
    }
    Ok(Box::new(file))
}

fn download(uri: &str) -> Result<Box<dyn Read>, String> {
    // Fails if there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .user_agent(concat!("chronode/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_MAX)
        .timeout(DOWNLOAD_MAX)
        .build()
        .map_err(|error| chain(&error))?;
    let answer = client.get(uri).send().map_err(|error| chain(&error.without_url()))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("the server answered {status}"));
    }
    Ok(Box::new(answer))
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// Unpacks what Mesos' fetcher would; leaves anything else, and the archive itself, as it is.
fn unpack(name: &str) -> Result<(), String> {
    const TAR: [&str; 7] = [".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz"];
    // A name may begin with a dash.
    let file = format!("./{name}");
    if TAR.iter().any(|extension| name.ends_with(extension)) {
        return tool("tar", &["-xf", &file], Stdio::null());
    }
    if name.ends_with(".zip") {
        return tool("unzip", &["-o", "-q", &file], Stdio::null());
    }
    if let Some(plain) = name.strip_suffix(".gz") {
        let out = File::create(plain).map_err(|error| format!("`{plain}`: {error}"))?;
        return tool("gzip", &["-d", "-c", &file], out.into());
    }
    Ok(())
}

fn tool(program: &str, arguments: &[&str], out: Stdio) -> Result<(), String> {
    let status =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(out).status().map_err(
            |error| format!("`{program}`, which unpacks it, could not be started: {error}"),
        )?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{program}` failed to unpack it: {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_mesos_and_stay_inside() {
        let table = [
            ("http://h/a/b.tgz", "", Ok("b.tgz")),
            ("http://h/a/b.sh?x=1", "", Ok("b.sh?x=1")),
            ("/etc/hosts", "", Ok("hosts")),
            ("http://h/a", "in/to/c", Ok("in/to/c")),
            ("http://h/a/", "", Err(())),
            ("http://h/..", "", Err(())),
            ("http://h/a", "/etc/passwd", Err(())),
            ("http://h/a", "../x", Err(())),
            ("http://h/a", "x/", Err(())),
            ("http://h/stdout", "", Err(())),
            ("http://h/a", "stderr.tail", Err(())),
        ];
        for (uri, output_file, expected) in table {
            assert_eq!(
                local_name(uri, output_file).map_err(|_| ()),
                expected,
                "{uri} {output_file}"
            );
        }
    }

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        assert_eq!(shown("https://me:pw@h/a?token=1"), "https://h/a?…");
        assert_eq!(shown("http://h/a@b"), "http://h/a@b");
        assert_eq!(shown("/a/b"), "/a/b");
    }

    #[test]
    fn what_was_said_decides() {
        let said = |lines: &[&str]| outcome(lines.iter().map(ToString::to_string));
        let failed = r#"{"failed":{"reason":"no"}}"#;
        assert_eq!(said(&["\"starting\""]), Ok(()));
        assert_eq!(said(&["\"starting\"", failed]), Err("no".into()));
        assert_eq!(said(&[failed]), Err("no".into()));
        assert_eq!(said(&[]), Err("its downloads were interrupted".into()));
    }
}
