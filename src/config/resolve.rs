//! One value for each option, from all sources: flag, variable, file, directory, default, in this order.
//!
//! Everything that is wrong is found, not the first thing only, and each is told with the place where it was given.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::chronos::{Fate, Form};
use super::source::{self, Found, Given, Source};
use super::table::{self, Row, Table};
use super::written::Written;
use super::{
    Config, ConfigError, NotificationFlags, Notifications, Place, ServeFlags, notifications,
};

/// What Marathon calls the first port that it gave to a task; Chronos' own image listened there.
const MARATHON_PORT: &str = "PORT0";

/// The options of a command line. What they mean together with the other sources is [`Typed::resolve`].
#[derive(Debug, Clone, Default)]
pub struct Typed {
    texts: BTreeMap<String, OsString>,
}

impl Args for Typed {
    fn augment_args(command: Command) -> Command {
        table::augment(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        table::augment(command)
    }
}

impl FromArgMatches for Typed {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut typed = Self::default();
        typed.update_from_arg_matches(matches)?;
        Ok(typed)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for row in Table::new().rows() {
            let id = row.arg.get_id().as_str();
            if matches.value_source(id) == Some(ValueSource::CommandLine)
                && let Some(text) = matches.get_raw(id).and_then(Iterator::last)
            {
                self.texts.insert(row.name.clone(), text.to_owned());
            }
        }
        Ok(())
    }
}

impl Typed {
    /// Puts the command line together with the environment of this process and the files that either names.
    #[must_use]
    pub fn resolve(self) -> Resolution {
        self.resolve_with(&source::process)
    }

    /// As [`Self::resolve`], in an environment of the caller's.
    #[must_use]
    pub fn resolve_with(self, environment: &dyn Fn(&str) -> Option<OsString>) -> Resolution {
        let table = Table::new();
        let typed = self.texts.into_iter().map(|(name, text)| {
            let given = Given { text, source: Source::Flag };
            (name, given)
        });
        let mut resolution = Resolution {
            given: typed.collect(),
            written: Written::default(),
            bad: BTreeSet::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            table,
        };
        resolution.add(source::environment(&resolution.table, environment));
        resolution.read("config", source::file);
        resolution.read("config_dir", source::directory);
        if let Some(text) = environment(MARATHON_PORT).filter(|text| !text.is_empty()) {
            let given = Given { text, source: Source::Variable(MARATHON_PORT.to_owned()) };
            resolution.given.entry("http_port".to_owned()).or_insert(given);
        }
        resolution.judge();
        resolution
    }
}

/// What is wrong with a configuration: at least one sentence, each with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(f, "{only}"),
            all => {
                write!(f, "the configuration has {} problems:", all.len())?;
                all.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl Problems {
    /// The sentences, or `value` if there are none.
    ///
    /// # Errors
    ///
    /// The problems.
    pub fn or<T>(sentences: Vec<String>, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if sentences.is_empty() => Ok(value),
            Some(_) | None => Err(Self(sentences)),
        }
    }

    /// The sentences.
    #[must_use]
    pub fn sentences(&self) -> &[String] {
        &self.0
    }
}

/// The options from all sources.
#[derive(Debug)]
pub struct Resolution {
    pub(super) table: Table,
    pub(super) given: BTreeMap<String, Given>,
    /// Channels and routes of the file.
    pub(super) written: Written,
    /// Options whose values have a problem of their own.
    bad: BTreeSet<String>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Resolution {
    /// Adds a source; what is there already goes first.
    fn add(&mut self, found: Found) {
        self.problems.extend(found.problems);
        for (name, given) in found.given {
            self.given.entry(name).or_insert(given);
        }
    }

    /// Adds what an option names.
    fn read(&mut self, name: &str, read: fn(&Table, &Path) -> Result<Found, String>) {
        let Some(given) = self.given.get(name) else { return };
        match read(&self.table, Path::new(&given.text)) {
            Ok(mut found) => {
                self.written.take(&mut found.written);
                self.add(found);
            }
            Err(problem) => {
                let text = given.text.to_string_lossy();
                self.problems.push(format!("{} `{text}`: {problem}", self.place(name)));
            }
        }
    }

    /// Looks at each value by itself.
    fn judge(&mut self) {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        for row in self.table.rows() {
            let Some(given) = self.given.get(&row.name) else { continue };
            let place = given.source.place(&row.name);
            let verdict = self.table.check(row, &given.text).and_then(|()| fate(row, given));
            match verdict {
                Err(expected) => {
                    problems.push(format!("{place} `{}`: {expected}", shown(row, given)));
                    self.bad.insert(row.name.clone());
                }
                Ok(idle) => {
                    let idle = idle.map(|reason| format!("{place} has nothing to do: {reason}"));
                    warnings.extend(idle.into_iter().chain(exposed(row, given)));
                }
            }
        }
        warnings.extend(self.idle_without_tls());
        warnings.extend(self.written.exposed.iter().cloned());
        self.problems.extend(problems);
        self.warnings.extend(warnings);
    }

    /// Where TLS would be spoken, although it is not. Chronos takes both flags without a keystore, too.
    fn idle_without_tls(&self) -> impl Iterator<Item = String> {
        const TLS: [&str; 2] = ["tls_certificate", "tls_key"];
        let has_tls = TLS.into_iter().any(|name| self.given.contains_key(name));
        let given = ["https_address", "https_port"]
            .into_iter()
            .filter(|name| self.given.contains_key(*name));
        given.filter(move |_| !has_tls).map(|name| {
            format!(
                "{} has no effect without TLS: give --tls_certificate and --tls_key, or leave it out",
                self.place(name)
            )
        })
    }

    /// What is odd but accepted, each a sentence with its place.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where the value of an option was given, as words that begin a sentence: `--http_port`, `CHRONODE_HTTP_PORT`,
    /// `chronode.yaml:3: http_port`, `/etc/chronos/conf/http_port`.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        let given = self.given.get(name).filter(|_| !self.bad.contains(name));
        given.map_or(&Source::Flag, |given| &given.source).place(name)
    }

    /// A sentence about the value of an option, with its place.
    #[must_use]
    pub fn sentence(&self, name: &str, found: &str, expected: &str) -> String {
        let is_secret = self.table.row(name).is_some_and(Row::is_secret);
        let found = if is_secret { "***".to_owned() } else { without_login(found) };
        format!("{} `{found}`: {expected}", self.place(name))
    }

    /// The checked configuration. `machine_name` is the system's own name, used where none was given.
    ///
    /// With problems it is what is left without the values that are wrong, so that whoever looks further finds more.
    #[must_use]
    pub fn config(&self, machine_name: &str) -> (Option<Config>, Vec<String>) {
        let mut problems = self.problems.clone();
        let mut left_out = self.bad.clone();
        let notifications = match self.flags(&left_out) {
            Ok(flags) => self.notifications(flags.notifications, &mut problems),
            Err(error) => {
                problems.push(table::whole(&error));
                return (None, problems);
            }
        };
        loop {
            let flags = match self.flags(&left_out) {
                Ok(flags) => flags,
                Err(error) => {
                    problems.push(table::whole(&error));
                    return (None, problems);
                }
            };
            let error = match Config::new(flags, machine_name, notifications.clone()) {
                Ok(config) => return (Some(config), problems),
                Err(error) => error,
            };
            problems.push(self.sentence(error.flag, &error.found, &error.expected));
            // The default is right, or it is another option's fault; then there is nothing left to try.
            if !self.given.contains_key(error.flag) || !left_out.insert(error.flag.to_owned()) {
                return (None, problems);
            }
        }
    }

    /// What flags and the file say of notifications, without what is wrong.
    fn notifications(&self, flags: NotificationFlags, problems: &mut Vec<String>) -> Notifications {
        let read = notifications::read(flags);
        let sentence =
            |error: &ConfigError| self.sentence(error.flag, &error.found, &error.expected);
        problems.extend(read.errors.iter().map(sentence));
        let (notifications, found) = self.written.join(&read);
        problems.extend(found);
        let has_mail = read.meant.contains(&"mail") || self.written.has_mail();
        if !notifications.operators.is_empty() && !has_mail {
            let expected = "they are told by mail, and no channel sends any: give --mail_server and --mail_from too";
            problems.push(self.sentence("operators", &notifications.operators.join(","), expected));
        }
        notifications
    }

    /// [`Self::place`] of the option, or the line of the file.
    #[must_use]
    pub fn place_of(&self, place: &Place) -> String {
        match place {
            Place::Option(name) => self.place(name),
            Place::Line(place) => place.clone(),
        }
    }

    fn flags(&self, left_out: &BTreeSet<String>) -> Result<ServeFlags, clap::Error> {
        let given = self.given.iter().filter(|(name, _)| !left_out.contains(*name));
        self.table.flags(given.map(|(name, given)| (name.as_str(), given.text.as_os_str())))
    }
}

pub(super) fn shown(row: &Row, given: &Given) -> String {
    if row.is_secret() { "***".to_owned() } else { without_login(&given.text.to_string_lossy()) }
}

/// Addresses may have a login in them (`zk://user:password@host/mesos`), which is nobody's to read.
pub(super) fn without_login(text: &str) -> String {
    match text.split_once("://").map(|(scheme, rest)| (scheme, rest.rsplit_once('@'))) {
        Some((scheme, Some((_, host)))) => format!("{scheme}://***@{host}"),
        Some((_, None)) | None => text.to_owned(),
    }
}

/// What becomes of a flag of Chronos: the reason why it has nothing to do, or the refusal of what it asks for.
fn fate(row: &Row, given: &Given) -> Result<Option<&'static str>, String> {
    let Some(flag) = row.chronos else { return Ok(None) };
    match flag.fate {
        // What is refused of them is refused with the other options.
        Fate::Kept | Fate::Changed(_) => Ok(None),
        Fate::Idle(_, reason) => Ok(Some(reason)),
        Fate::Absent { form, harmless, lacks } => {
            if asks_for_nothing(form, &given.text.to_string_lossy(), harmless) {
                Ok(None)
            } else {
                Err(lacks.sentence.to_owned())
            }
        }
    }
}

/// Both have the type of the flag.
fn asks_for_nothing(form: Form, text: &str, harmless: &str) -> bool {
    match form {
        Form::Switch => table::switch(text).ok() == table::switch(harmless).ok(),
        Form::Count => text.parse::<u64>().ok() == harmless.parse().ok(),
        Form::Text | Form::Secret => text.is_empty() || text == harmless,
    }
}

/// A warning about a secret that others can read.
fn exposed(row: &Row, given: &Given) -> Option<String> {
    // `@FILE`, where an option takes that, is no secret.
    let names_a_file =
        given.source == Source::Flag && given.text.as_encoded_bytes().starts_with(b"@");
    if !row.is_secret() || given.text.is_empty() || names_a_file {
        return None;
    }
    let place = given.source.place(&row.name);
    match &given.source {
        Source::Flag => Some(format!(
            "{place}: everybody on this machine can read the command line; give it as {} or in a file instead",
            table::variable(&row.name)
        )),
        Source::Variable(_) => None,
        Source::File(path, _) | Source::Directory(path) if source::is_open_to_all(path) => {
            Some(format!(
                "{place}: everybody on this machine can read this secret; `chmod o-r {}`",
                path.display()
            ))
        }
        Source::File(..) | Source::Directory(_) => None,
    }
}
