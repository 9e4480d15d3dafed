//! Who guards the doors: credentials, TLS and the audit log, opened at the start and read again on SIGHUP.
//!
//! What is unsafe is refused at the start. A file that has become unusable since changes nothing: the old credentials
//! and the old certificate stay in force, and the log says so.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::machine;
use crate::api::Scope;
use crate::api::Tls;
use crate::api::credential::{Authenticator, Credential, Hash, parse_all};
use crate::audit::{AUDIT_FILE, Audit, Outcome, Record};
use crate::clock;
use crate::config::{Administrator, Login, Security};
use crate::store::DATABASE_FILE;

/// The program itself, in the audit log.
pub(super) const PROCESS: &str = "chronode";
/// Bytes of a file of credentials.
const CREDENTIALS_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The guards of this process.
#[derive(Debug)]
pub(super) struct Guards {
    pub(super) authenticator: Option<Arc<Authenticator>>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) audit: Audit,
    security: Security,
}

impl Guards {
    /// Opens what the configuration names.
    pub(super) fn open(
        security: &Security,
        default_user: &str,
        own_user: &str,
        data: &Path,
    ) -> anyhow::Result<Arc<Self>> {
        check_run_as(security, own_user)?;
        let run_as = security.run_as.as_deref();
        check_default_user(run_as, default_user, own_user, machine::is_root())?;
        let authenticator = if security.has_credentials() {
            let (credentials, _) = credentials(security)?;
            Some(Arc::new(Authenticator::new(credentials, &security.realm, clock::now)?))
        } else {
            None
        };
        let tls = match &security.tls {
            None => None,
            Some((_, files)) => {
                let tls = Tls::load(files.clone());
                Some(Arc::new(tls.context("--tls_certificate, --tls_key: there is no TLS")?))
            }
        };
        let audit = Audit::open(data, security.audit, security.is_audit_required)
            .with_context(|| format!("cannot write `{}`", data.join(AUDIT_FILE).display()))?;
        let security = security.clone();
        Ok(Arc::new(Self { authenticator, tls, audit, security }))
    }

    /// Reads credentials and certificate again. Blocks.
    pub(super) fn reload(&self) {
        if let Some(authenticator) = &self.authenticator {
            let before = authenticator.credentials();
            let replaced = credentials(&self.security).and_then(|(mut after, login)| {
                keep_hash(&before, &mut after, login.as_ref());
                authenticator.replace(after.clone())?;
                Ok(after)
            });
            match replaced {
                Ok(after) => {
                    let changes = changes(&before, &after);
                    tracing::info!(
                        "SIGHUP: {} credentials are in force, {} changes",
                        after.len(),
                        changes.len()
                    );
                    self.reloaded(
                        "credentials",
                        Outcome::Done,
                        &format!("{} in force", after.len()),
                    );
                    for change in changes {
                        self.audit.record(&Record { detail: change, ..self.record("credential") });
                    }
                }
                Err(error) => {
                    tracing::error!("SIGHUP: the old credentials stay in force: {error:#}");
                    self.reloaded("credentials", UNUSABLE, "the old ones stay in force");
                }
            }
        }
        if let Some(tls) = &self.tls {
            match tls.reload() {
                Ok(()) => {
                    tracing::info!("SIGHUP: certificate and key are read again");
                    self.reloaded("certificate", Outcome::Done, "");
                }
                Err(error) => {
                    tracing::error!("SIGHUP: the old certificate stays in use: {error}");
                    self.reloaded("certificate", UNUSABLE, "the old one stays in use");
                }
            }
        }
        if self.authenticator.is_none() && self.tls.is_none() {
            tracing::info!("SIGHUP: there are neither credentials nor a certificate to read again");
        }
    }

    /// Warns of what is open although it is allowed.
    pub(super) fn say_what_is_open(&self, addresses: &[(SocketAddr, bool)]) {
        let others = || addresses.iter().filter(|(it, _)| !it.ip().to_canonical().is_loopback());
        if self.authenticator.is_none() {
            for (address, _) in others() {
                tracing::warn!(
                    "--insecure: whoever reaches {address} may run any command here as `{}`, without being asked who \
                     they are",
                    machine::own_user()
                );
            }
        } else {
            for (address, _) in others().filter(|(_, has_tls)| !has_tls) {
                tracing::warn!(
                    "credentials cross the network in the clear on their way to {address}: give --tls_certificate and \
                     --tls_key, or put a proxy with TLS in front"
                );
            }
        }
    }

    /// Records the start.
    pub(super) fn started(&self, urls: &[String]) {
        let doors = match &self.authenticator {
            Some(authenticator) => format!("{} credentials", authenticator.credentials().len()),
            None => "no credentials".to_owned(),
        };
        let version = env!("CARGO_PKG_VERSION");
        let detail = format!("version {version}, {}, {doors}", urls.join(", "));
        self.audit.record(&Record { detail, ..self.record("start") });
    }

    /// Records the stop.
    pub(super) fn stopping(&self) {
        self.audit.record(&self.record("stop"));
    }

    fn reloaded(&self, what: &str, outcome: Outcome, detail: &str) {
        let detail = format!("{what} read again: {detail}");
        let detail = detail.trim_end_matches([':', ' ']).to_owned();
        self.audit.record(&Record { detail, outcome, ..self.record("reload") });
    }

    fn record(&self, what: &'static str) -> Record {
        Record { caller: PROCESS.to_owned(), door: "process".to_owned(), what, ..Record::default() }
    }
}

const UNUSABLE: Outcome = Outcome::Refused { status: 0, code: "unusable_file" };

/// A user that commands can never run as is a mistake in the list.
fn check_run_as(security: &Security, own_user: &str) -> anyhow::Result<()> {
    let Some(users) = &security.run_as else { return Ok(()) };
    if !machine::is_root() && users.iter().any(|user| user != own_user) {
        bail!(
            "--run_as `{}`: Chronode does not run as root, so commands can only be run as `{own_user}`",
            users.join(",")
        );
    }
    Ok(())
}

/// The user of jobs that name none must be one that commands can run as, or each of these jobs would be refused. Who
/// names no default may want just that: every job is to name its user.
fn check_default_user(
    run_as: Option<&[String]>,
    default_user: &str,
    own_user: &str,
    is_root: bool,
) -> anyhow::Result<()> {
    if !default_user.is_empty() && default_user != own_user && !is_root {
        bail!(
            "--user `{default_user}`: Chronode does not run as root, so commands can only be run as `{own_user}`, and every \
             job without `runAsUser` would be refused. Leave --user out, or run Chronode as root"
        );
    }
    let Some(users) = run_as else { return Ok(()) };
    let is_listed = |user: &str| users.iter().any(|listed| listed == user);
    if default_user.is_empty() {
        if !is_listed(own_user) {
            tracing::warn!(
                "--run_as `{}` does not name `{own_user}`, as which commands are run where nothing else is said: every job \
                 without `runAsUser` is refused; --user names another",
                users.join(",")
            );
        }
    } else if !is_listed(default_user) {
        bail!(
            "--user `{default_user}`: --run_as `{}` does not name it, so every job without `runAsUser` would be refused. \
             Give as --user one of these, or add it to --run_as",
            users.join(",")
        );
    }
    Ok(())
}

/// Reads whoever is let in, and which of them is the administrator of Chronos' flag.
fn credentials(security: &Security) -> anyhow::Result<(Vec<Credential>, Option<Login>)> {
    let mut found = match &security.credentials {
        None => Vec::new(),
        Some(path) => {
            let found = read_credentials(path, Reader::Scheduler).map_err(anyhow::Error::msg)?;
            if found.is_empty() && security.administrator.is_none() {
                bail!(
                    "--credentials: there is nobody in `{0}`, so nobody could be let in; `chronode credential add NAME \
                     --role admin --credentials {0}` adds somebody",
                    path.display()
                );
            }
            found
        }
    };
    let Some(login) = login(security)? else { return Ok((found, None)) };
    if found.iter().any(|credential| *credential.name == *login.name) {
        bail!(
            "--http_credentials: `{}` is in the file of --credentials already: remove one of the two",
            login.name
        );
    }
    found.push(Credential {
        name: login.name.as_str().into(),
        role: Security::ADMINISTRATOR,
        scope: Scope::All,
        hash: Hash::of_password(login.password.expose())?,
        created: None,
        expires: None,
    });
    Ok((found, Some(login)))
}

/// The administrator of Chronos' flag, read again if they stand in a file.
fn login(security: &Security) -> anyhow::Result<Option<Login>> {
    match &security.administrator {
        None => Ok(None),
        Some(Administrator::Typed(login)) => Ok(Some(login.clone())),
        Some(Administrator::File(path)) => {
            let text = read_private(path, Reader::Scheduler)
                .map_err(|e| anyhow::anyhow!("--http_credentials: {e}"))?;
            let login = Login::parse(text.trim_end_matches(['\r', '\n'])).map_err(|problem| {
                anyhow::anyhow!("--http_credentials: `{}`: {problem}", path.display())
            })?;
            Ok(Some(login))
        }
    }
}

/// Who reads a file of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A scheduler, which lets in whom the file names: it must be its own user's or root's.
    Scheduler,
    /// Somebody who changes it; root may change everybody's.
    Editor,
}

/// Reads a file of credentials.
///
/// # Errors
///
/// A sentence that names the file, and what to do.
pub(super) fn read_credentials(path: &Path, reader: Reader) -> Result<Vec<Credential>, String> {
    let text = read_private(path, reader).map_err(|problem| format!("--credentials: {problem}"))?;
    parse_all(&text).map_err(|problem| format!("--credentials: `{}`: {problem}", path.display()))
}

/// Reads a file that nobody else may read or change.
pub(super) fn read_private(path: &Path, reader: Reader) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("`{shown}` cannot be read: {error}");
    // A pipe in the place of the file would be waited for.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("`{shown}` is no file"));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "`{shown}` can be read or changed by others (its mode is {mode:04o}): run `chmod 600 {shown}`, and make other \
             credentials if somebody may have read it"
        ));
    }
    let me = rustix::process::geteuid().as_raw();
    let may_edit = match reader {
        Reader::Scheduler => false,
        // It belongs to the user that the scheduler runs as, and stays theirs.
        Reader::Editor => me == 0,
    };
    if metadata.uid() != me && metadata.uid() != 0 && !may_edit {
        return Err(format!(
            "`{shown}` belongs to user {}, who could let anybody in: run `chown {me} {shown}`",
            metadata.uid()
        ));
    }
    if metadata.len() > CREDENTIALS_BYTES_MAX {
        return Err(format!("`{shown}` has more than {CREDENTIALS_BYTES_MAX} bytes"));
    }
    let mut text = String::new();
    file.take(CREDENTIALS_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Refuses state that others could have changed: whoever writes it runs commands.
pub(super) fn check_files(data: &Path) -> anyhow::Result<()> {
    for name in [DATABASE_FILE.to_owned(), format!("{DATABASE_FILE}-wal"), AUDIT_FILE.to_owned()] {
        let path = data.join(name);
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let shown = path.display();
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 && !metadata.is_symlink() {
            bail!(
                "`{shown}` can be changed by others (its mode is {mode:04o}): run `chmod 600 {shown}`"
            );
        }
        if mode & 0o044 != 0 && !metadata.is_symlink() {
            tracing::warn!(
                "`{shown}` can be read by others, and secrets are in it: run `chmod 600 {shown}`"
            );
        }
    }
    Ok(())
}

/// The password of Chronos' flag is hashed anew with every reading. One that has not changed keeps its hash, so that it
/// is seen to be the same.
fn keep_hash(before: &[Credential], after: &mut [Credential], login: Option<&Login>) {
    let Some(login) = login else { return };
    let is_theirs = |it: &&Credential| *it.name == *login.name;
    let old = before.iter().find(is_theirs).map(|it| &it.hash);
    let new = after.iter_mut().find(|it| is_theirs(&&**it));
    if let (Some(old), Some(new)) = (old.filter(|old| old.is_of(login.password.expose())), new) {
        new.hash = old.clone();
    }
}

/// What is different, a sentence for each name, without secrets.
fn changes(before: &[Credential], after: &[Credential]) -> Vec<String> {
    let by_name = |all: &[Credential]| -> BTreeMap<Arc<str>, Credential> {
        all.iter().map(|it| (Arc::clone(&it.name), it.clone())).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let gone = gone.map(|name| format!("`{name}` removed"));
    let there = after.iter().filter_map(|(name, new)| match before.get(name) {
        None => Some(format!("`{name}` added, {}", new.role.as_str())),
        Some(old) if Credential { hash: old.hash.clone(), ..new.clone() } != *old => {
            Some(format!("`{name}` changed, {}", new.role.as_str()))
        }
        Some(old) if old.hash != new.hash => Some(format!("`{name}` has another secret")),
        Some(_) => None,
    });
    gone.chain(there).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags of Chronos' start script say `--user root`.
    #[test]
    fn the_user_of_jobs_that_name_none_is_one_that_commands_can_run_as() {
        let check = |default_user: &str, run_as: Option<&[&str]>, is_root: bool| {
            let list = |users: &[&str]| users.iter().map(ToString::to_string).collect::<Vec<_>>();
            check_default_user(run_as.map(list).as_deref(), default_user, "cron", is_root)
                .map_err(|error| error.to_string())
        };
        for (default_user, run_as, is_root) in [
            ("", None, false),
            ("cron", None, false),
            ("root", None, true),
            ("nobody", Some(&["nobody", "cron"][..]), true),
            // Every job is to name its user.
            ("", Some(&["nobody"][..]), true),
        ] {
            assert_eq!(check(default_user, run_as, is_root), Ok(()), "{default_user} {run_as:?}");
        }
        let refused = check("root", None, false).unwrap_err();
        assert!(refused.starts_with("--user `root`: Chronode does not run as root"), "{refused}");
        assert!(refused.ends_with("Leave --user out, or run Chronode as root"), "{refused}");
        let refused = check("root", Some(&["nobody", "cron"]), true).unwrap_err();
        assert!(refused.contains("--run_as `nobody,cron` does not name it"), "{refused}");
    }

    #[test]
    fn another_secret_is_told_wherever_it_came_from_and_the_same_one_is_not() {
        let credential = |name: &str, hash: Hash| Credential {
            name: name.into(),
            role: Security::ADMINISTRATOR,
            scope: Scope::All,
            hash,
            // As in a line that was written by hand.
            created: None,
            expires: None,
        };
        let login = |password: &str| Login::parse(&format!("root:{password}")).unwrap();
        let all = |token: &str, password: &str| {
            let password = Hash::of_password(password).unwrap();
            [credential("ci", Hash::of_token(token)), credential("root", password)]
        };
        let before = all("one", "correct horse");
        let told = |token: &str, password: &str| {
            let mut after = all(token, password);
            keep_hash(&before, &mut after, Some(&login(password)));
            changes(&before, &after)
        };
        assert_eq!(told("one", "correct horse"), [""; 0]);
        assert_eq!(told("two", "correct horse"), ["`ci` has another secret"]);
        assert_eq!(told("one", "battery staple"), ["`root` has another secret"]);
        let without = changes(&before[..1], &all("two", "correct horse")[..1]);
        assert_eq!(without, ["`ci` has another secret"]);
    }
}
