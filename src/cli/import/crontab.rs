//! Reading the tables of cron: of this machine, or of others in copies.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::load;
use super::{Context, Kind, Moved, Origin};
use crate::cli::CliError;
use crate::cli::client::Terminal;
use crate::cli::table::plain;
use crate::migration::chronos::UserRefusal;
use crate::migration::crontab::table::Format;
use crate::migration::crontab::{self, Daemon, Directory, Host, Settings, Table};
use crate::migration::{Imported, Weight};

/// Bytes of a table. Cron itself takes no more lines than fit many times into this.
const TABLE_BYTES_MAX: u64 = 16 << 20;

/// Which tables, and how they are read.
#[derive(Debug, Args)]
pub struct From {
    /// A table, `USER:TABLE` for the one of a user, or a directory with the files of a machine; `/` by default, `-` is
    /// standard input
    #[arg(value_name = "[USER:]PATH")]
    pub sources: Vec<String>,
    /// The same of a machine with this name among the agents; may be given many times
    #[arg(long = "host", value_name = "NAME=[USER:]PATH")]
    pub hosts: Vec<String>,
    /// The zone of the clock that the tables go by, of all machines or of one of them
    #[arg(long = "zone", value_name = "[NAME=]ZONE")]
    pub zones: Vec<String>,
    /// Which cron has run the tables
    #[arg(long, value_enum, default_value_t = Cron::Debian)]
    pub cron: Cron,
    /// Make one job, which runs on one of the machines, of lines that are the same on several
    #[arg(long)]
    pub merge: bool,
    /// Make a job of each script that `run-parts` starts, each after the one before it
    #[arg(long = "split-run-parts")]
    pub split_run_parts: bool,
    /// Complete what `MAILTO` says without `@`, and users where it says nothing, to addresses
    #[arg(long = "mail-domain", value_name = "DOMAIN")]
    pub mail_domain: Option<String>,
}

/// Crons, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cron {
    /// That of Debian and Ubuntu.
    Debian,
    /// That of Red Hat, Fedora, SUSE and Arch; knows `CRON_TZ`, `RANDOM_DELAY` and `~`.
    Cronie,
}

/// Reads and translates.
pub(super) fn read(
    from: &From,
    context: Context<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<Moved, CliError> {
    let mut skipped = Vec::new();
    let hosts = hosts(from, &mut skipped)?;
    for host in &hosts {
        context
            .zones
            .get(&host.zone)
            .map_err(|error| CliError::Usage(format!("--zone: {error}")))?;
    }
    let daemon = match from.cron {
        Cron::Debian => Daemon::Debian,
        Cron::Cronie => Daemon::Cronie,
    };
    let settings = Settings {
        daemon,
        shadow: context.how.shadow,
        merge: from.merge,
        split_run_parts: from.split_run_parts,
        mail_domain: from.mail_domain.as_deref(),
    };
    let (mut jobs, general) = crontab::import(&hosts, &context.how.only, &settings);
    if let Some(server) = context.server {
        let named: Vec<Value> = jobs
            .iter()
            .filter_map(|job| {
                Some(json!({"name": job.name, "runAsUser": job.body.as_ref()?.get("runAsUser")?}))
            })
            .collect();
        refuse_users(&mut jobs, &load::users(server, &named, "*")?);
    }
    for sentence in skipped {
        writeln!(terminal.err, "note: {}", plain(&sentence))?;
    }
    let names: Vec<&str> =
        hosts.iter().map(|host| host.name.as_deref().unwrap_or("this machine")).collect();
    let shown = if names.is_empty() { "nowhere".to_owned() } else { names.join(", ") };
    Ok(Moved { origin: Origin { kind: Kind::Cron, shown }, jobs, general, pending: Vec::new() })
}

/// Jobs of users whom the server does not take.
fn refuse_users(jobs: &mut [Imported], users: &BTreeMap<String, Result<(), UserRefusal>>) {
    for job in jobs {
        let user = job.body.as_ref().and_then(|body| body.get("runAsUser")?.as_str());
        let Some(Err(UserRefusal { message, remedy })) = user.and_then(|user| users.get(user))
        else {
            continue;
        };
        let cron = format!("runs it as `{}`", user.unwrap_or_default().escape_debug());
        job.refuse("runAsUser", &cron, &format!("refuses it: {message}"), remedy);
        debug_assert_eq!(job.weight(), Weight::NotCarried);
    }
}

/// `NAME=REST`, if there is a name.
fn named(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((name, rest)) if !name.is_empty() && !name.contains(['/', ':']) => (Some(name), rest),
        _ => (None, text),
    }
}

fn hosts(from: &From, skipped: &mut Vec<String>) -> Result<Vec<Host>, CliError> {
    let mut sources: Vec<(Option<&str>, &str)> = Vec::new();
    for typed in &from.hosts {
        let (Some(name), source) = named(typed) else {
            return Err(CliError::Usage(format!(
                "--host: `{}` names no machine: write it as `web1=PATH`",
                typed.escape_debug()
            )));
        };
        sources.push((Some(name), source));
    }
    sources.extend(from.sources.iter().map(|source| (None, source.as_str())));
    if sources.is_empty() {
        sources.push((None, "/"));
    }
    let mut hosts: Vec<Host> = Vec::new();
    for (name, source) in sources {
        let read = read_source(source, from.cron, skipped)?;
        match hosts.iter_mut().find(|host| host.name.as_deref() == name) {
            Some(host) => {
                host.tables.extend(read.tables);
                if let Some(more) = read.environment {
                    host.environment.get_or_insert_default().extend(more);
                }
                host.directories.extend(read.directories);
                host.has_anacron |= read.has_anacron;
            }
            None => {
                let zone = zone(name, &read, &from.zones, skipped);
                let Tree { tables, environment, directories, has_anacron, zone: _ } = read;
                let name = name.map(str::to_owned);
                hosts.push(Host { name, zone, tables, environment, directories, has_anacron });
            }
        }
    }
    Ok(hosts)
}

/// The zone that was said for a machine, or for all; or its own; or that of this machine.
fn zone(name: Option<&str>, read: &Tree, typed: &[String], skipped: &mut Vec<String>) -> String {
    let said = |wanted: Option<&str>| {
        typed
            .iter()
            .map(|text| named(text))
            .find(|(host, _)| *host == wanted)
            .map(|(_, zone)| zone.to_owned())
    };
    if let Some(zone) = name.and_then(|name| said(Some(name))).or_else(|| said(None)) {
        return zone;
    }
    if let Some(zone) = &read.zone {
        return zone.clone();
    }
    let ours = zone_of(Path::new("/"));
    if let Some(name) = name {
        skipped.push(format!(
            "nothing says in which zone the clock of {name} is: it is taken to be {}; say it with `--zone {name}=ZONE`",
            ours.as_deref().unwrap_or("UTC")
        ));
    }
    ours.unwrap_or_else(|| "UTC".to_owned())
}

/// What was found at one place.
#[derive(Debug, Default)]
struct Tree {
    tables: Vec<Table>,
    environment: Option<Vec<(String, String)>>,
    directories: Vec<Directory>,
    has_anacron: bool,
    zone: Option<String>,
}

fn read_source(source: &str, cron: Cron, skipped: &mut Vec<String>) -> Result<Tree, CliError> {
    let (user, path) = match source.split_once(':') {
        Some((user, path)) if !user.is_empty() && !user.contains('/') => (Some(user), path),
        _ => (None, source),
    };
    let whose = |path: &Path| match user {
        Some(user) => Format::User(user.to_owned()),
        // As it lies in the spool.
        None if path.parent().is_some_and(|parent| parent.ends_with("crontabs")) => {
            Format::User(path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        }
        None => Format::System,
    };
    if path == "-" {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(TABLE_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|error| CliError::Failed(format!("cannot read standard input: {error}")))?;
        let table = table("standard input", whose(Path::new("-")), &bytes)?;
        return Ok(Tree { tables: vec![table], ..Tree::default() });
    }
    let path = Path::new(path);
    let metadata = fs::metadata(path).map_err(|error| cannot(path, &error))?;
    if !metadata.is_dir() {
        let shown = path.display().to_string();
        let table = table(&shown, whose(path), &read_file(path)?)?;
        return Ok(Tree { tables: vec![table], ..Tree::default() });
    }
    if user.is_some() {
        return Err(CliError::Usage(format!(
            "`{}` is a directory, and a user has one table: leave `{}:` out",
            path.display(),
            user.unwrap_or_default()
        )));
    }
    tree(path, cron, skipped)
}

/// The files of a machine below a directory.
fn tree(root: &Path, cron: Cron, skipped: &mut Vec<String>) -> Result<Tree, CliError> {
    let mut found = Tree { zone: zone_of(root), ..Tree::default() };
    let is_own = root == Path::new("/");
    for (directory, is_spool) in [
        ("etc/crontab", false),
        ("etc/cron.d", false),
        ("var/spool/cron/crontabs", true),
        ("var/spool/cron/tabs", true),
        ("var/spool/cron", true),
    ] {
        for path in tables_at(&root.join(directory), cron, skipped)? {
            let shown = shown(root, &path);
            if is_own && !is_spool && !is_trusted(&path)? {
                skipped.push(format!(
                    "{shown} is left out, as cron does: it does not belong to root, or others may write to it"
                ));
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let format = if is_spool { Format::User(name) } else { Format::System };
            found.tables.push(table(&shown, format, &read_file(&path)?)?);
        }
    }
    if found.tables.is_empty() && !root.join("etc").is_dir() {
        return Err(CliError::Failed(format!(
            "`{}` has no `etc/crontab`, no `etc/cron.d` and no `var/spool/cron`: give the directory that holds a copy \
             of the machine's `etc`, or name a table",
            root.display()
        )));
    }
    for file in ["etc/environment", "etc/default/locale"] {
        let read = found.environment.get_or_insert_default();
        if let Ok(bytes) = fs::read(root.join(file)) {
            read.extend(pam_environment(&String::from_utf8_lossy(&bytes)));
        }
    }
    for name in ["hourly", "daily", "weekly", "monthly", "yearly"] {
        let path = root.join(format!("etc/cron.{name}"));
        if let Ok(entries) = fs::read_dir(&path) {
            let scripts =
                entries.filter_map(Result::ok).filter(|entry| is_executable(&entry.path()));
            let scripts =
                scripts.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            found.directories.push(Directory { path: format!("/etc/cron.{name}"), scripts });
        }
    }
    found.has_anacron = root.join("usr/sbin/anacron").exists();
    Ok(found)
}

/// A file, or the files of a directory that cron reads, in the order of their names.
fn tables_at(path: &Path, cron: Cron, skipped: &mut Vec<String>) -> Result<Vec<PathBuf>, CliError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot(path, &error)),
    };
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| cannot(path, &error))?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| cannot(path, &error))?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let is_read = is_read(&name, cron);
        // Directories and editors keep such files; nobody takes them for tables.
        if !is_read && !name.starts_with('.') {
            skipped
                .push(format!("{} is left out, as cron does, because of its name", file.display()));
        }
        is_read
    });
    Ok(files)
}

/// Whether cron reads a file of this name.
fn is_read(name: &str, cron: Cron) -> bool {
    match cron {
        Cron::Debian => {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        }
        Cron::Cronie => {
            let is_left = [".rpmsave", ".rpmorig", ".rpmnew", "~", ".cron.hostname"];
            !name.starts_with(['.', '#']) && !is_left.iter().any(|end| name.ends_with(end))
        }
    }
}

/// Whether cron reads a system's table with these rights.
fn is_trusted(path: &Path) -> Result<bool, CliError> {
    let metadata = fs::metadata(path).map_err(|error| cannot(path, &error))?;
    Ok(metadata.uid() == 0 && metadata.mode() & 0o022 == 0)
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
}

/// As the machine itself would call it.
fn shown(root: &Path, path: &Path) -> String {
    match path.strip_prefix(root) {
        Ok(inside) => format!("/{}", inside.display()),
        Err(_) => path.display().to_string(),
    }
}

/// The zone that a machine's clock shows.
fn zone_of(root: &Path) -> Option<String> {
    let link = fs::read_link(root.join("etc/localtime")).ok();
    let linked = link
        .as_ref()
        .and_then(|link| link.to_str()?.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned()));
    linked.or_else(|| {
        let text = fs::read_to_string(root.join("etc/timezone")).ok()?;
        Some(text.trim().to_owned()).filter(|zone| !zone.is_empty())
    })
}

/// The settings of a file as `pam_env` reads it.
fn pam_environment(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let line = line.split_once('#').map_or(line, |(line, _)| line).trim_end();
        let Some((name, value)) = line.split_once('=') else { continue };
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let bare = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
        if is_name {
            found.push((
                name.to_owned(),
                bare('"').or_else(|| bare('\'')).unwrap_or(value).to_owned(),
            ));
        }
    }
    found
}

fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    let file = fs::File::open(path).map_err(|error| cannot(path, &error))?;
    let mut bytes = Vec::new();
    file.take(TABLE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| cannot(path, &error))?;
    Ok(bytes)
}

fn table(shown: &str, format: Format, bytes: &[u8]) -> Result<Table, CliError> {
    if bytes.len() as u64 > TABLE_BYTES_MAX {
        return Err(CliError::Failed(format!(
            "{shown} has more than 16 MiB: is it a table of cron?"
        )));
    }
    // Bytes that are no UTF-8 are told of where they matter.
    let text = String::from_utf8_lossy(bytes).into_owned();
    Ok(Table { path: shown.to_owned(), format, text })
}

fn cannot(path: &Path, error: &io::Error) -> CliError {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "; tables of users can be read by root alone",
        _ => "",
    };
    CliError::Failed(format!("cannot read `{}`: {error}{remedy}", path.display()))
}
