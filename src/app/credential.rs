//! `chronode credential`: who is let in, in a file.
//!
//! The file is replaced whole, so that a scheduler that reads it meanwhile sees the old or the new one. A scheduler that
//! runs learns of it by SIGHUP.

use std::fs;
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use rustix::fs::FlockOperation;

use super::security::{Reader, read_credentials, read_private};
use crate::api::credential::{Credential, Hash, check_name, new_token};
use crate::api::{Pattern, Role, Scope};
use crate::clock;
use crate::config::check_password;
use crate::model::Timestamp;

/// Characters of a password that is set here. Whoever guesses tries the shorter ones first.
const PASSWORD_CHARS_MIN: usize = 12;
/// Bytes of a password.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// `chronode credential …`
#[derive(Debug, Clone, Args)]
pub struct CredentialFlags {
    /// What to do
    #[command(subcommand)]
    pub command: CredentialCommand,

    /// The file of those who are let in; made if it is not there
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CHRONODE_CREDENTIALS",
        default_value = "credentials"
    )]
    pub credentials: PathBuf,
}

/// What to do with the file.
#[derive(Debug, Clone, Subcommand)]
pub enum CredentialCommand {
    /// Let somebody in, by a token that is printed once or by a password
    Add {
        /// Their name, as it stands in logs
        #[arg(value_parser = name)]
        name: String,
        /// What they may do: viewer, operator, editor or admin
        #[arg(long, value_name = "ROLE", value_parser = role)]
        role: Role,
        /// A job, or the beginning of names such as `billing-*`; several times for several. All jobs if not given
        #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
        scope: Vec<Pattern>,
        /// Make a token; so it is without this too
        #[arg(long, conflicts_with = "password_stdin")]
        token: bool,
        /// Read a password from standard input
        #[arg(long = "password-stdin", alias = "password_stdin")]
        password_stdin: bool,
        /// Until when they are let in, as 2027-01-31T00:00:00Z
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        expires: Option<Timestamp>,
    },
    /// List who is let in, without their secrets
    List,
    /// Let somebody in no more
    Remove {
        /// Their name
        #[arg(value_parser = name)]
        name: String,
    },
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "expected viewer, operator, editor or admin".to_owned())
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "expected an instant such as 2027-01-31T00:00:00Z".to_owned())
}

/// Does it. A token goes to `out`, alone in its line; what a person should know beside it to `err`.
///
/// # Errors
///
/// A sentence; then the file is as it was.
pub fn run(
    flags: &CredentialFlags,
    input: &mut dyn io::Read,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<()> {
    let path = &flags.credentials;
    // Before the lock: whoever types may take their time.
    let typed = match &flags.command {
        CredentialCommand::Add { name, password_stdin: true, .. } => Some(password(name, input)?),
        CredentialCommand::Add { .. }
        | CredentialCommand::List
        | CredentialCommand::Remove { .. } => None,
    };
    let _lock = match &flags.command {
        CredentialCommand::List => None,
        CredentialCommand::Add { .. } | CredentialCommand::Remove { .. } => Some(lock(path)?),
    };
    let mut known = if path.exists() {
        read_credentials(path, Reader::Editor).map_err(anyhow::Error::msg)?
    } else {
        Vec::new()
    };
    match &flags.command {
        CredentialCommand::List => list(&known, out)?,
        CredentialCommand::Add { name, role, scope, token: _, password_stdin: _, expires } => {
            if known.iter().any(|credential| *credential.name == **name) {
                bail!("`{name}` is there already: `chronode credential remove {name}` first");
            }
            let now = clock::wall();
            if expires.is_some_and(|expires| expires <= now) {
                bail!("--expires lies in the past: nobody would be let in");
            }
            let (hash, token) = if let Some(password) = typed {
                (Hash::of_password(&password)?, None)
            } else {
                let token = new_token()?;
                (Hash::of_token(&token), Some(token))
            };
            let scope = if scope.is_empty() { Scope::All } else { Scope::Only(scope.clone()) };
            let created = now.round(jiff::Unit::Second).ok();
            let name = name.as_str().into();
            known.push(Credential { name, role: *role, scope, hash, created, expires: *expires });
            write(path, &known)?;
            if let Some(token) = token {
                writeln!(out, "{token}")?;
                writeln!(
                    err,
                    "This is shown once and kept nowhere. It may be sent as a bearer token."
                )?;
            }
            writeln!(err, "A scheduler that runs learns of it by SIGHUP.")?;
        }
        CredentialCommand::Remove { name } => {
            let before = known.len();
            known.retain(|credential| *credential.name != **name);
            if known.len() == before {
                bail!("there is no `{name}` in `{}`", path.display());
            }
            write(path, &known)?;
            writeln!(err, "A scheduler that runs learns of it by SIGHUP.")?;
        }
    }
    Ok(())
}

fn password(name: &str, input: &mut dyn io::Read) -> anyhow::Result<String> {
    let mut text = String::new();
    let limit = u64::try_from(PASSWORD_BYTES_MAX + 2).unwrap_or(u64::MAX);
    input.take(limit).read_to_string(&mut text).context("the password cannot be read")?;
    let text = text.trim_end_matches(['\r', '\n']);
    check_password(name, text).map_err(anyhow::Error::msg)?;
    if text.len() > PASSWORD_BYTES_MAX || text.contains(['\n', '\0']) {
        bail!("a password has at most {PASSWORD_BYTES_MAX} bytes, in one line");
    }
    if text.chars().count() < PASSWORD_CHARS_MIN {
        bail!("a password has at least {PASSWORD_CHARS_MIN} characters; a token needs no choosing");
    }
    Ok(text.to_owned())
}

fn list(known: &[Credential], out: &mut dyn Write) -> io::Result<()> {
    let now = clock::wall();
    for credential in known {
        let Credential { name, role, scope, hash, created: _, expires } = credential;
        let scope = match scope {
            Scope::All => "all jobs".to_owned(),
            Scope::Only(patterns) => {
                patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
        };
        let until = match expires {
            None => String::new(),
            Some(at) if credential.is_expired(now) => format!("  expired {at}"),
            Some(at) => format!("  until {at}"),
        };
        writeln!(out, "{name:<24}  {:<8}  {:<8}  {scope}{until}", role.as_str(), hash.kind())?;
    }
    Ok(())
}

/// Keeps other calls from changing the file until it is dropped. Waits for those that do.
///
/// The directory is locked, because the file is replaced and a file beside it would be left behind.
fn lock(path: &Path) -> anyhow::Result<fs::File> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.unwrap_or_else(|| Path::new("."));
    let locked = fs::File::open(directory).and_then(|file| {
        rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))?;
        Ok(file)
    });
    locked.with_context(|| format!("`{}` cannot be locked", directory.display()))
}

/// Replaces the file, and keeps whose it is and who may read it. Lines that say nothing are kept at its head only.
fn write(path: &Path, credentials: &[Credential]) -> anyhow::Result<()> {
    let head = if path.exists() {
        let text = read_private(path, Reader::Editor).map_err(anyhow::Error::msg)?;
        let comments = text.lines().take_while(|line| line.starts_with('#'));
        comments.map(|line| format!("{line}\n")).collect()
    } else {
        String::new()
    };
    let lines: String = credentials.iter().map(|it| format!("{}\n", it.print())).collect();
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let failed = || format!("`{}` cannot be written", path.display());
    let written = (|| {
        // What an interrupted call left behind.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(head.as_bytes())?;
        file.write_all(lines.as_bytes())?;
        match fs::metadata(path) {
            Ok(old) => {
                // Whoever is not root can make files of their own only.
                if rustix::process::geteuid().is_root() {
                    fchown(&file, Some(old.uid()), Some(old.gid()))?;
                }
                file.set_permissions(old.permissions())?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        file.sync_all()?;
        fs::rename(&new, path)
    })();
    written.with_context(failed)
}
