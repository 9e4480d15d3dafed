//! Lines of crontabs → bodies for our door, each with what was found.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::command::{self, PATH, SHELL};
use super::general::general;
use super::merge::merge;
use super::name::Names;
use super::parts::{self, Directory};
use super::table::{self, Entry, Format, Item, Split};
use crate::jobspec;
use crate::migration::finding::{Finding, Weight, worst};
use crate::migration::imported::{Imported, is_selected};
use crate::model::{Dialect, NameRule};
use crate::schedule::{DebianReading, as_debian_reads, parse_period};

/// Which cron has run the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// Debian's and Ubuntu's, which is Vixie's of 1993 with patches.
    Debian,
    /// That of Red Hat, Fedora, SUSE and Arch.
    Cronie,
}

/// A machine and its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// How it is called among the agents; `None` is the only machine there is.
    pub name: Option<String>,
    /// The zone of its clock.
    pub zone: String,
    /// Its tables, in the order in which they are told of.
    pub tables: Vec<Table>,
    /// What its `pam_env` adds to every environment; `None` if nobody has looked.
    pub environment: Option<Vec<(String, String)>>,
    /// What lies in the directories that `run-parts` is given.
    pub directories: Vec<Directory>,
    /// Whether anacron is installed.
    pub has_anacron: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Where it lies on its machine.
    pub path: String,
    /// What it looks like.
    pub format: Format,
    /// What stands in it.
    pub text: String,
}

/// How tables are translated.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Which cron has run them.
    pub daemon: Daemon,
    /// Whether they are to be planned, recorded and compared, but not started.
    pub shadow: bool,
    /// Whether lines that are the same on several machines become one job, which runs on one of them.
    pub merge: bool,
    /// Whether scripts of directories become jobs of their own, each after the one before it.
    pub split_run_parts: bool,
    /// What is added to addresses that name a user of the machine.
    pub mail_domain: Option<&'a str>,
}

/// A line on its way.
pub(super) struct Draft {
    pub(super) job: Imported,
    /// On which machine, for merging.
    pub(super) host: Option<String>,
}

/// Translates tables; the second value holds for all lines. Those whose name `only` does not select are left out.
#[must_use]
pub fn import(
    hosts: &[Host],
    only: &str,
    settings: &Settings<'_>,
) -> (Vec<Imported>, Vec<Finding>) {
    let mut names = Names::default();
    let mut drafts = Vec::new();
    for host in hosts {
        for table in &host.tables {
            let items = table::read(&table.text, &table.format);
            let fault = items.iter().find_map(|item| fault(item, settings.daemon));
            let line = Line { host, table, settings, fault: fault.as_ref() };
            for item in items {
                match item {
                    Item::Refused { line: number, text, why } => {
                        drafts.push(line.refused(number, &text, &why, &mut names));
                    }
                    Item::Entry(entry) => line.translate(&entry, &mut names, &mut drafts),
                }
            }
        }
    }
    let mut jobs = if settings.merge {
        merge(drafts)
    } else {
        drafts.into_iter().map(|draft| draft.job).collect()
    };
    jobs.retain(|job| is_selected(only, &job.name));
    (jobs, general(hosts, settings))
}

/// Where a line stands.
#[derive(Clone, Copy)]
struct Line<'a> {
    host: &'a Host,
    table: &'a Table,
    settings: &'a Settings<'a>,
    /// What keeps cron from running anything of the table.
    fault: Option<&'a Fault>,
}

/// A line at which cron gives its whole table up.
struct Fault {
    line: usize,
    why: String,
}

fn fault(item: &Item, daemon: Daemon) -> Option<Fault> {
    match item {
        Item::Refused { line, why, .. } => Some(Fault { line: *line, why: why.clone() }),
        Item::Entry(entry) => match daemon {
            Daemon::Debian => {
                let why = as_debian_reads(&entry.when).err()?;
                Some(Fault { line: entry.line, why })
            }
            // Its rules are not followed to the letter.
            Daemon::Cronie => None,
        },
    }
}

/// What of a line goes into each of its jobs.
struct Terms {
    schedule: String,
    zone: String,
    jitter: Option<String>,
    environment: BTreeMap<String, String>,
    shell: String,
    owner: Option<String>,
    found: Vec<Finding>,
}

impl Line<'_> {
    fn place(&self, line: usize) -> String {
        let host = self.host.name.as_ref().map_or_else(String::new, |host| format!("{host}:"));
        format!("{host}{}, line {line}", self.table.path)
    }

    /// The parts of a name that say where it comes from.
    fn source<'s>(&'s self, user: &'s str) -> Vec<&'s str> {
        let file = match &self.table.format {
            Format::User(_) => user,
            Format::System => self.table.path.rsplit('/').next().unwrap_or_default(),
        };
        self.host.name.as_deref().into_iter().chain([file]).collect()
    }

    fn refused(&self, line: usize, text: &str, why: &str, names: &mut Names) -> Draft {
        let user = match &self.table.format {
            Format::User(name) => name.as_str(),
            Format::System => "",
        };
        let finding = Finding::new(Weight::NotCarried, "", why, "has no job for it")
            .because("cron ignores the whole table because of it, and says so in its log alone")
            .remedy("correct the line there, or remove it, and import again");
        let name = names.give(&self.source(user), &format!("line{line}"));
        let original = json!({"table": self.table.path, "line": line, "text": text});
        let job = Imported {
            name,
            original,
            place: Some(self.place(line)),
            body: None,
            findings: vec![finding],
            upcoming: None,
        };
        Draft { job, host: self.host.name.clone() }
    }

    fn translate(&self, entry: &Entry, names: &mut Names, drafts: &mut Vec<Draft>) {
        let mut terms = Terms {
            schedule: entry.when.clone(),
            zone: self.host.zone.clone(),
            jitter: None,
            environment: self.environment(entry),
            shell: SHELL.to_owned(),
            owner: None,
            found: Vec::new(),
        };
        let settings = entry.environment.iter().map(|(_, value)| value);
        if settings.chain([&entry.command, &entry.user]).any(|text| text.contains('\u{fffd}')) {
            terms.found.push(
                Finding::new(
                    Weight::NotCarried,
                    "command",
                    "hands on bytes as they are",
                    "takes UTF-8 alone",
                )
                .remedy("write the line, and the settings above it, in UTF-8"),
            );
        }
        if let Some(Fault { line, why }) = self.fault.filter(|fault| fault.line != entry.line) {
            let cron = format!("ignores the whole table, because of line {line}");
            terms.found.push(
                Finding::new(Weight::NotCarried, "", &cron, "has no job for it")
                    .because(why)
                    .remedy("correct that line there, or remove it, and import again"),
            );
        }
        self.read_settings(entry, &mut terms);
        self.schedule(&mut terms);
        self.mail(entry, &mut terms);
        let split = table::split(&entry.command);
        if let (true, Some(chain)) = (self.settings.split_run_parts, parts::read(&split.command))
            && self.split_parts(entry, &chain, &mut terms, names, drafts)
        {
            return;
        }
        let name = names.give(&self.source(&entry.user), &split.command);
        let body = self.body(&name, entry, &terms, &split);
        drafts.push(self.draft(name, entry, body, terms.found));
    }

    fn draft(
        &self,
        name: String,
        entry: &Entry,
        mut body: Map<String, Value>,
        mut findings: Vec<Finding>,
    ) -> Draft {
        check(&body, &mut findings);
        if self.settings.shadow {
            body.insert("shadow".to_owned(), true.into());
        }
        let text = format!("{} {}", entry.when, entry.command);
        let original = json!({
            "host": self.host.name, "table": self.table.path, "line": entry.line, "user": entry.user, "text": text,
        });
        let is_carried = worst(&findings) != Weight::NotCarried;
        let job = Imported {
            name,
            original,
            place: Some(self.place(entry.line)),
            body: is_carried.then_some(body),
            findings,
            upcoming: None,
        };
        Draft { job, host: self.host.name.clone() }
    }

    /// What the command finds in its environment beside what every command of ours does.
    fn environment(&self, entry: &Entry) -> BTreeMap<String, String> {
        let mut environment: BTreeMap<String, String> =
            self.host.environment.iter().flatten().cloned().collect();
        // What cron sets itself, whatever `pam_env` says.
        environment.insert("PATH".to_owned(), PATH.to_owned());
        environment.remove("HOME");
        environment.remove("SHELL");
        environment.extend(entry.environment.iter().cloned());
        // Cron insists on it.
        environment.remove("LOGNAME");
        environment
    }

    /// What cron itself goes by.
    fn read_settings(&self, entry: &Entry, terms: &mut Terms) {
        if let Some(shell) = terms.environment.get("SHELL") {
            terms.shell.clone_from(shell);
        }
        if terms.shell == SHELL {
            // Ours is that one without saying so.
            terms.environment.remove("SHELL");
        }
        let said = |name: &str| entry.environment.iter().find(|(known, _)| known == name);
        for name in ["CRON_TZ", "RANDOM_DELAY"] {
            let Some((_, value)) = said(name) else { continue };
            let shown = value.escape_debug();
            match (self.settings.daemon, name) {
                (Daemon::Debian, _) => terms.found.push(
                    Finding::new(
                        Weight::Same,
                        name,
                        &format!("(Debian's) hands `{shown}` to the command and does not go by it"),
                        "does the same",
                    )
                    .because("cronie goes by it, which runs on Red Hat and its kin")
                    .remedy("say `--cron cronie` if that has run the table"),
                ),
                (Daemon::Cronie, "CRON_TZ") => {
                    terms.zone.clone_from(value);
                    terms.environment.remove(name);
                }
                (Daemon::Cronie, _) => {
                    terms.environment.remove(name);
                    let Ok(minutes @ 1..) = value.trim().parse::<u32>() else { continue };
                    terms.jitter = Some(format!("PT{minutes}M"));
                    terms.found.push(
                        Finding::new(
                            Weight::Changes,
                            "jitter",
                            &format!(
                                "waits up to {minutes} min, a time that it draws when it starts"
                            ),
                            "waits a time that the job's name decides, always the same",
                        )
                        .remedy("nothing, if the load is to be spread"),
                    );
                }
            }
        }
    }

    fn schedule(&self, terms: &mut Terms) {
        if terms.schedule == "@reboot" {
            terms.zone.clear();
            if self.host.name.is_some() {
                terms.found.push(
                    Finding::new(
                        Weight::NotCarried,
                        "schedule",
                        "runs it after each start of the machine",
                        "knows starts of its own machine alone, not those of agents",
                    )
                    .remedy("write a unit of systemd for it, or leave this line in the crontab"),
                );
            }
            return;
        }
        match self.settings.daemon {
            Daemon::Debian => self.as_debian(terms),
            Daemon::Cronie => as_cronie(terms),
        }
    }

    fn as_debian(&self, terms: &mut Terms) {
        match as_debian_reads(&terms.schedule) {
            Ok(DebianReading::Same) => {}
            Ok(DebianReading::Means(text)) => {
                terms.found.push(
                    Finding::new(
                        Weight::Same,
                        "schedule",
                        &format!("reads `{}` as `{text}`", terms.schedule.escape_debug()),
                        &format!("has `{text}`"),
                    )
                    .because("cron skips what it cannot read, and says nothing")
                    .remedy("look whether what cron does is what was meant"),
                );
                terms.schedule = text;
            }
            Ok(DebianReading::Never(why)) => terms.found.push(
                Finding::new(
                    Weight::NotCarried,
                    "schedule",
                    &format!("accepts `{}` and never runs it", terms.schedule.escape_debug()),
                    "has no job for it",
                )
                .because(&why)
                .remedy("write the range in two parts, such as `22-23,0-2`, or remove the line"),
            ),
            Err(why) => terms.found.push(
                Finding::new(
                    Weight::NotCarried,
                    "schedule",
                    "cannot read the line, and ignores the whole table because of it",
                    "has no job for it",
                )
                .because(&why)
                .remedy("correct the line there, or remove it, and import again"),
            ),
        }
    }

    /// Who hears of it.
    fn mail(&self, entry: &Entry, terms: &mut Terms) {
        let said = terms.environment.get("MAILTO").cloned();
        let to = said.unwrap_or_else(|| entry.user.clone());
        let mut unknown = Vec::new();
        let mut known = Vec::new();
        for address in to.split([',', ' ', '\t']).filter(|address| !address.is_empty()) {
            match (address.contains('@'), self.settings.mail_domain) {
                (true, _) => known.push(address.to_owned()),
                (false, Some(domain)) => known.push(format!("{address}@{domain}")),
                (false, None) => unknown.push(address),
            }
        }
        if !unknown.is_empty() {
            terms.found.push(
                Finding::new(
                    Weight::Changes,
                    "owner",
                    &format!(
                        "mails what it prints to `{}` on its machine",
                        unknown.join(", ").escape_debug()
                    ),
                    "keeps what it prints, and tells nobody when it fails",
                )
                .because("mail goes to addresses, not to users of a machine")
                .remedy("give `--mail-domain`, set `MAILTO` to an address, or write an `owner`"),
            );
        }
        terms.owner = (!known.is_empty()).then(|| known.join(","));
    }

    fn body(&self, name: &str, entry: &Entry, terms: &Terms, split: &Split) -> Map<String, Value> {
        let mut body = self.frame(name, entry, terms);
        body.insert("command".to_owned(), command::text(&terms.shell, split).into());
        body.insert("schedule".to_owned(), terms.schedule.clone().into());
        if !terms.zone.is_empty() {
            body.insert("scheduleTimeZone".to_owned(), terms.zone.clone().into());
        }
        if let Some(jitter) = &terms.jitter {
            body.insert("jitter".to_owned(), jitter.clone().into());
        }
        body
    }

    /// What every job of a line says, but for when and what.
    fn frame(&self, name: &str, entry: &Entry, terms: &Terms) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |field: &str, value: Value| body.insert(field.to_owned(), value);
        put("name", name.into());
        let description = entry.comment.iter().filter(|line| !line.is_empty());
        let description: Vec<&str> = description.map(String::as_str).collect();
        if !description.is_empty() {
            put("description", description.join("\n").into());
        }
        put("command", Value::Null);
        put("runAsUser", entry.user.clone().into());
        let variables: Vec<Value> = terms
            .environment
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        put("environmentVariables", variables.into());
        if let Some(owner) = &terms.owner {
            put("owner", owner.clone().into());
        }
        let mut labels = json!({"crontab": self.table.path});
        if let Some(host) = &self.host.name {
            put("constraints", json!([["hostname", "EQUALS", host]]));
            labels["host"] = host.clone().into();
        }
        put("labels", labels);
        put("retries", 0.into());
        put("overlap", "allow".into());
        body
    }

    /// Whether the scripts of a directory have become jobs.
    fn split_parts(
        &self,
        entry: &Entry,
        chain: &parts::RunParts<'_>,
        terms: &mut Terms,
        names: &mut Names,
        drafts: &mut Vec<Draft>,
    ) -> bool {
        let shown = chain.directory;
        let mut keep = |there: &str, why: &str, remedy: &str| {
            let finding =
                Finding::new(Weight::Same, "command", there, "has one job for the whole line");
            terms.found.push(finding.because(why).remedy(remedy));
        };
        if chain.leaves_it_to_anacron && self.host.has_anacron {
            keep(
                &format!("leaves `{shown}` to anacron, which is installed"),
                "the line does nothing as long as that is so",
                "remove anacron when the directory is to run from here",
            );
            return false;
        }
        let Some(directory) = self.host.directories.iter().find(|it| it.path == shown) else {
            keep(
                &format!("runs the scripts of `{shown}`"),
                "the directory is not among what was read",
                "give the machine's files as a tree, with the directory in it",
            );
            return false;
        };
        let scripts = directory.run();
        if scripts.is_empty() {
            keep(&format!("finds no script in `{shown}`"), "the directory is empty", "");
            return false;
        }
        let word = directory.word();
        let mut before: Option<String> = None;
        for script in scripts {
            let source: Vec<&str> =
                self.host.name.as_deref().into_iter().chain([word.as_str()]).collect();
            let name = names.give(&source, script);
            let from = chain.from.map_or_else(String::new, |from| format!("cd {from} && "));
            let split = Split { command: format!("{from}{shown}/{script}"), input: None };
            let mut body = self.body(&name, entry, terms, &split);
            let mut found = terms.found.clone();
            found.push(Finding::new(
                Weight::Same,
                "command",
                &format!("runs the scripts of `{shown}` one after the other"),
                "has a job for each, which follows the one before it however that ended",
            ));
            if let Some(before) = &before {
                body.shift_remove("schedule");
                body.shift_remove("scheduleTimeZone");
                body.shift_remove("jitter");
                body.insert("parents".to_owned(), json!([before]));
                body.insert("triggerRule".to_owned(), "all-done".into());
            }
            before = Some(name.clone());
            drafts.push(self.draft(name, entry, body, found));
        }
        true
    }
}

/// Cronie reads fields as ours are read, but for its random ranges.
fn as_cronie(terms: &mut Terms) {
    if !terms.schedule.contains('~') {
        return;
    }
    let field = |word: &str| {
        let items = word.split(',').map(|item| match item.split_once('~') {
            None => item.to_owned(),
            Some(("", "")) => "H".to_owned(),
            Some((first, last)) if !first.is_empty() && !last.is_empty() => {
                format!("H({first}-{last})")
            }
            // One end is open; which one that is depends on the field.
            Some(_) => item.to_owned(),
        });
        items.collect::<Vec<_>>().join(",")
    };
    let words: Vec<String> = terms.schedule.split(' ').map(field).collect();
    let text = words.join(" ");
    terms.found.push(
        Finding::new(
            Weight::Changes,
            "schedule",
            &format!(
                "draws a number for `{}` whenever it loads the table",
                terms.schedule.escape_debug()
            ),
            &format!("has `{text}`, where the job's name decides, always the same"),
        )
        .remedy("nothing, if the load is to be spread"),
    );
    terms.schedule = text;
}

/// Whether our reader takes what was written.
fn check(body: &Map<String, Value>, found: &mut Vec<Finding>) {
    if worst(found) == Weight::NotCarried {
        return;
    }
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let body = Value::Object(body.clone());
    let Err(refused) = jobspec::read_as(&body, Dialect::V0, NameRule::Blanks, &period) else {
        return;
    };
    found.extend(refused.into_iter().map(|problem| {
        Finding::new(
            Weight::NotCarried,
            &problem.field,
            "has it as it is",
            &format!("refuses it: {}", problem.message),
        )
        .remedy(&problem.remedy)
    }));
}
