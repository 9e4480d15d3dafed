//! Job files that belong together: the jobs of a directory, with what its directories and templates say of them.
//!
//! ```text
//!   _source.yaml        name: billing
//!   _defaults.yaml      owner: billing@example.org      what holds for every job here and below
//!   _templates.yaml     nightly: {schedule: "0 2 * * *"}
//!   close.yaml          {name: close, extends: nightly, commandFile: close.sh}
//!   reports/…           jobs, and defaults and templates that are nearer
//! ```
//!
//! What a job itself says is nearest, then its template, what that extends, the defaults of its directory, and those of
//! the directories above; `layer` joins them. What is wrong is told where it was written, once. Opens no files.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::fields::{Spelling, shown};
use super::file::{FileJob, FileProblem, FileReading};
use super::layer::{Layer, Places, Spot, value_of};
use super::read::{Door, read_spelled};
use super::yaml::{self, Fault, Kind, Node, Place};
use super::{PeriodReader, Problem, Reading};
use crate::model::{Dialect, JobName, SourceName};

/// Reads the text of a file by its path from the top, or says in a sentence why not.
pub type ScriptReader<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// The files of a directory and of those below it.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct FileSet<'a> {
    /// In front of the paths of files, wherever they are told: the directory, with a `/` at its end.
    pub top: &'a str,
    /// All that are read, in the order in which their jobs are told.
    pub files: &'a [SetFile],
    /// Reads what a `commandFile` names.
    pub script: ScriptReader<'a>,
}

/// One file of a set.
#[derive(Debug, Clone)]
pub struct SetFile {
    /// Its path from the top, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// What the files are called that hold no jobs, without their ending.
const DEFAULTS: &str = "_defaults";
const TEMPLATES: &str = "_templates";
const SOURCE: &str = "_source";

/// The fields that files have beyond those of a job.
pub(super) const EXTENDS: &str = "extends";
pub(super) const COMMAND_FILE: &str = "commandFile";

/// How many problems are told of a set, the first ones: a file that is no job file at all has one per line.
const PROBLEMS_MAX: usize = 1_000;

/// Reads the files of a set. A job that is wrong does not stop the others; one whose defaults cannot be read is left out.
#[must_use]
pub fn read_set(set: &FileSet<'_>, parse_period: PeriodReader<'_>) -> FileReading {
    // Names, epsilon and defaults of job files are those of the old door.
    let dialect = Dialect::V0;
    let door = Door { dialect, names: dialect.name_rule(), parse_period };
    let mut reader = Reader {
        set: *set,
        top: set.top.into(),
        door,
        defaults: BTreeMap::new(),
        templates: BTreeMap::new(),
        broken: BTreeSet::new(),
        named: BTreeMap::new(),
        reading: FileReading::default(),
    };
    let mut jobs = Vec::new();
    for SetFile { path, text } in set.files {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let file: Arc<str> = path.as_str().into();
        let documents = reader.documents(&file, text);
        // A file that stands alone may have any name.
        let is_alone = set.top.is_empty();
        match name.split_once('.').map_or(name, |(stem, _)| stem) {
            DEFAULTS if !is_alone => reader.take_defaults(directory, &file, documents),
            TEMPLATES if !is_alone => reader.take_templates(directory, &file, documents),
            SOURCE if !is_alone => reader.take_source(directory, &file, documents),
            stem if stem.starts_with('_') && !is_alone => {
                let message = format!("`{}` is the name of no file that is known", shown(name));
                let remedy = format!(
                    "call it `{DEFAULTS}`, `{TEMPLATES}` or `{SOURCE}`, or leave out the `_`"
                );
                reader.tell(&Spot { file, at: BEGINNING }, message, remedy);
            }
            _ => jobs.push((file, documents.unwrap_or_default())),
        }
    }
    for (file, documents) in &jobs {
        for document in documents {
            match &document.kind {
                Kind::List(items) => items.iter().for_each(|item| reader.job(file, item)),
                // An empty document, as after a last `---`; or one whose fault is told anyway.
                Kind::Null(_) | Kind::Bad => {}
                Kind::Map(_) | Kind::Text(_) => reader.job(file, document),
            }
        }
    }
    reader.end()
}

const BEGINNING: Place = Place { line: 1, column: 1 };

type Documents = Vec<Rc<Node>>;

struct Template {
    layer: Layer,
    /// Where it was written, whatever it has been joined with.
    directory: String,
}

struct Reader<'a> {
    set: FileSet<'a>,
    top: Arc<str>,
    door: Door<'a>,
    /// By directory; the top is the empty one.
    defaults: BTreeMap<String, Layer>,
    /// By directory and name.
    templates: BTreeMap<(String, String), Template>,
    /// Directories whose defaults or templates cannot be read.
    broken: BTreeSet<String>,
    /// The place at which each name was used first.
    named: BTreeMap<JobName, Spot>,
    reading: FileReading,
}

impl Reader<'_> {
    /// The documents of a file; `None` after a fault was told that leaves something out.
    fn documents(&mut self, file: &Arc<str>, text: &str) -> Option<Documents> {
        match yaml::parse(text) {
            Ok(tree) => {
                let is_job_file = tree.faults.is_empty();
                tree.faults.into_iter().for_each(|fault| self.fault(file, fault));
                // Of a job file the jobs without a fault stay.
                (is_job_file || !is_special(file)).then_some(tree.documents)
            }
            Err(fault) => {
                self.fault(file, fault);
                None
            }
        }
    }

    /// The one object that a file of another kind holds; empty if it says nothing, `None` after a fault was told.
    fn object(&mut self, file: &Arc<str>, documents: Option<Documents>) -> Option<Rc<Node>> {
        let documents = documents?;
        let mut said = documents.iter().filter(|it| !matches!(it.kind, Kind::Null(_)));
        let Some(node) = said.next() else { return Some(Rc::new(Node::nothing())) };
        let wrong = match (&node.kind, said.next()) {
            (Kind::Map(_), None) => return Some(Rc::clone(node)),
            (_, Some(second)) => (second.at, "the file holds more than one document"),
            (_, None) => (node.at, "the file holds no fields"),
        };
        let (at, message) = wrong;
        let spot = Spot { file: Arc::clone(file), at };
        self.tell(&spot, message.to_owned(), "write one object of fields and values".to_owned());
        None
    }

    fn take_defaults(&mut self, directory: &str, file: &Arc<str>, documents: Option<Documents>) {
        let layer = self.object(file, documents).and_then(|node| layer_of(&node, file));
        let layer = layer.filter(|layer| self.may_share(layer, &["name", EXTENDS]));
        let Some(layer) = layer else {
            self.broken.insert(directory.to_owned());
            return;
        };
        let spot = layer.places.start.clone();
        if self.defaults.insert(directory.to_owned(), layer).is_some() {
            self.broken.insert(directory.to_owned());
            self.tell_twice(&spot, &format!("`{DEFAULTS}`"), directory);
        }
    }

    fn take_templates(&mut self, directory: &str, file: &Arc<str>, documents: Option<Documents>) {
        let node = self.object(file, documents);
        let Some(Kind::Map(entries)) = node.as_ref().map(|node| &node.kind) else {
            self.broken.insert(directory.to_owned());
            return;
        };
        for entry in entries {
            let spot = Spot { file: Arc::clone(file), at: entry.at };
            if !matches!(entry.value.kind, Kind::Map(_)) {
                let message = format!("the template `{}` is no object", shown(&entry.key));
                self.tell(&spot, message, "write the fields of a job below its name".to_owned());
            }
            let layer = layer_of(&entry.value, file);
            let Some(layer) = layer.filter(|layer| self.may_share(layer, &["name"])) else {
                self.broken.insert(directory.to_owned());
                continue;
            };
            let key = (directory.to_owned(), entry.key.clone());
            let template = Template { layer, directory: directory.to_owned() };
            if self.templates.insert(key, template).is_some() {
                self.broken.insert(directory.to_owned());
                self.tell_twice(&spot, &format!("the template `{}`", shown(&entry.key)), directory);
            }
        }
    }

    fn take_source(&mut self, directory: &str, file: &Arc<str>, documents: Option<Documents>) {
        let node = self.object(file, documents);
        let Some(layer) = node.and_then(|node| layer_of(&node, file)) else { return };
        let spot = |field: &str| layer.places.of(field).clone();
        let remedy = "write `name: ` and a name of letters, digits, `_`, `.` and `-`";
        if !directory.is_empty() {
            let message = format!("`{SOURCE}` has no place but at the top");
            self.tell(&spot(""), message, "remove it".to_owned());
            return;
        }
        if let Some(other) = layer.fields.keys().find(|key| *key != "name") {
            let message = format!("unknown field `{}`", shown(other));
            self.tell(&spot(other), message, remedy.to_owned());
        }
        match layer.fields.get("name").and_then(Value::as_str).map(SourceName::parse) {
            Some(Ok(name)) if self.reading.source.is_none() => self.reading.source = Some(name),
            Some(Ok(_)) => self.tell_twice(&spot(""), &format!("`{SOURCE}`"), directory),
            Some(Err(why)) => {
                self.tell(
                    &spot("name"),
                    format!("`name` names no source: {why}"),
                    remedy.to_owned(),
                );
            }
            None => self.tell(&spot(""), "`name` is missing".to_owned(), remedy.to_owned()),
        }
    }

    /// Whether several jobs can share what a layer says; what they cannot is told.
    fn may_share(&mut self, layer: &Layer, own: &[&str]) -> bool {
        let own: Vec<&&str> = own.iter().filter(|it| layer.fields.contains_key(**it)).collect();
        for field in &own {
            let message = format!("`{field}` has no place in what several jobs share");
            let spot = layer.places.of(field).clone();
            self.tell(&spot, message, "give it to each job".to_owned());
        }
        own.is_empty()
    }

    fn job(&mut self, file: &Arc<str>, node: &Node) {
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        if ancestors(directory).any(|it| self.broken.contains(it)) {
            return;
        }
        if !matches!(node.kind, Kind::Map(_)) {
            let mut places = Places::beginning(file, node.at);
            let Some(value) = value_of(node, "", &mut places) else { return };
            self.read(file, &value, places);
            return;
        }
        // Without fields there was a fault, which is told with the tree's.
        let Some(layer) = layer_of(node, file) else { return };
        let places = layer.places.clone();
        let Some(mut layer) = self.whole(layer, directory) else { return };
        if self.take_command(&mut layer).is_none() {
            return;
        }
        layer.places.start = places.start;
        self.read(file, &Value::Object(layer.fields), layer.places);
    }

    /// A job upon its template and the defaults of its directories.
    fn whole(&mut self, job: Layer, directory: &str) -> Option<Layer> {
        let mut whole = job;
        let mut is_alone = true;
        let mut from = directory.to_owned();
        let mut seen = BTreeSet::new();
        // From the nearest to the furthest.
        while let Some(wanted) = whole.fields.get(EXTENDS).cloned() {
            let spot = whole.places.of(EXTENDS).clone();
            whole.take(EXTENDS);
            let name = match wanted {
                Value::Null => break,
                Value::String(name) => name,
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    let message = format!("`{EXTENDS}` is no text");
                    self.tell(&spot, message, "write the name of one template".to_owned());
                    return None;
                }
            };
            let found = ancestors(&from).find_map(|it| {
                let key = (it.to_owned(), name.clone());
                self.templates.get(&key).map(|template| (key, template))
            });
            let Some((key, template)) = found else {
                let message = format!("`{EXTENDS}` is `{}`, which names no template", shown(&name));
                let remedy = format!(
                    "define it in `{TEMPLATES}.yaml` of this directory or of one above, or leave it out"
                );
                self.tell(&spot, message, remedy);
                return None;
            };
            if !seen.insert(key) {
                let message = format!("the template `{}` extends itself", shown(&name));
                self.tell(&spot, message, format!("leave out this `{EXTENDS}`"));
                return None;
            }
            template.directory.clone_into(&mut from);
            let start = whole.places.start.clone();
            is_alone = false;
            whole = template.layer.clone().under(whole);
            whole.places.start = start;
        }
        for directory in ancestors(directory) {
            if let Some(defaults) = self.defaults.get(directory) {
                is_alone = false;
                whole = defaults.clone().under(whole);
            }
        }
        Some(if is_alone { whole } else { whole.without_nothing() })
    }

    /// Puts the text of the file that `commandFile` names into `command`. `None` after a problem was told.
    fn take_command(&mut self, layer: &mut Layer) -> Option<()> {
        let Some(typed) = layer.fields.get(COMMAND_FILE).filter(|it| !it.is_null()).cloned() else {
            layer.take(COMMAND_FILE);
            return Some(());
        };
        let spot = layer.places.of(COMMAND_FILE).clone();
        layer.take(COMMAND_FILE);
        if layer.fields.get("command").is_some_and(|command| !command.is_null()) {
            let message = format!("`{COMMAND_FILE}` and `command` are both given");
            self.tell(&spot, message, "leave one of them out".to_owned());
            return None;
        }
        let directory = spot.file.rsplit_once('/').map_or("", |(directory, _)| directory);
        let path = typed.as_str().ok_or("is no text").and_then(|typed| inside(directory, typed));
        let script = path.map_err(str::to_owned).and_then(|path| (self.set.script)(&path));
        match script {
            Ok(text) => {
                layer.set("command", Value::String(text), spot);
                Some(())
            }
            Err(why) => {
                let shown = typed.as_str().map(|typed| format!(" `{}`", shown(typed)));
                let message = format!("`{COMMAND_FILE}`{} {why}", shown.unwrap_or_default());
                let remedy = "name a text file of this directory, or of one below the top";
                self.tell(&spot, message, remedy.to_owned());
                None
            }
        }
    }

    fn read(&mut self, file: &Arc<str>, value: &Value, places: Places) {
        match read_spelled(value, self.door, Spelling::Yaml) {
            Ok(reading) => self.accept(file, value, reading, places),
            Err(problems) => {
                let job = value.get("name").and_then(Value::as_str).map(shown).unwrap_or_default();
                for Problem { field, message, remedy } in problems {
                    let Spot { file, at } = places.of(&field).clone();
                    let job = job.clone();
                    self.push(FileProblem {
                        job,
                        field,
                        ..self.located(&file, at, message, remedy)
                    });
                }
            }
        }
    }

    fn accept(&mut self, file: &Arc<str>, value: &Value, reading: Reading, places: Places) {
        let Reading { draft, unknown, warnings } = reading;
        let mut job = FileJob {
            draft,
            body: value.clone(),
            file: Arc::clone(file),
            line: places.start.at.line,
            warnings: Vec::new(),
            places,
            top: Arc::clone(&self.top),
        };
        if let Some(first) = self.named.get(&job.draft.name) {
            let line = first.at.line;
            let place = if first.file == *file {
                format!("on line {line}")
            } else {
                format!("in {}{}:{line}", self.top, first.file)
            };
            let message = format!("the job `{}` is already defined {place}", job.draft.name);
            let remedy = "give it another name, or remove one of them".to_owned();
            self.push(job.finding("name", message, remedy));
            return;
        }
        let unknown =
            unknown.iter().map(|it| job.finding(&it.field, it.to_string(), String::new()));
        let warnings =
            warnings.iter().map(|it| job.finding(&it.field, it.to_string(), String::new()));
        job.warnings = unknown.chain(warnings).chain(other_interpreter(&job)).collect();
        self.named.insert(job.draft.name.clone(), job.places.start.clone());
        self.reading.jobs.push(job);
    }

    fn fault(&mut self, file: &Arc<str>, Fault { at, message, remedy }: Fault) {
        let problem = self.located(file, at, message, remedy.to_owned());
        self.push(problem);
    }

    fn tell_twice(&mut self, spot: &Spot, what: &str, directory: &str) {
        let place = if directory.is_empty() { "this directory" } else { directory };
        self.tell(
            spot,
            format!("{what} is there twice in {place}"),
            "remove one of them".to_owned(),
        );
    }

    fn tell(&mut self, spot: &Spot, message: String, remedy: String) {
        let problem = self.located(&spot.file, spot.at, message, remedy);
        self.push(problem);
    }

    fn located(&self, file: &str, at: Place, message: String, remedy: String) -> FileProblem {
        FileProblem {
            path: format!("{}{file}", self.top),
            line: at.line,
            column: at.column,
            job: String::new(),
            field: String::new(),
            message,
            remedy,
        }
    }

    fn push(&mut self, problem: FileProblem) {
        self.reading.problems.push(problem);
    }

    fn end(self) -> FileReading {
        let mut reading = self.reading;
        let order = |it: &FileProblem| (it.path.clone(), it.line, it.column, it.message.clone());
        reading.problems.sort_by_cached_key(order);
        // What is wrong in a template is found with each job that uses it.
        reading.problems.dedup_by(|a, b| order(a) == order(b));
        reading.problems.truncate(PROBLEMS_MAX);
        reading
    }
}

fn is_special(file: &str) -> bool {
    file.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
}

fn layer_of(node: &Node, file: &Arc<str>) -> Option<Layer> {
    let mut places = Places::beginning(file, node.at);
    match value_of(node, "", &mut places)? {
        Value::Object(fields) => Some(Layer { fields, places }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}

/// A directory and those above it up to the top, which is the empty one, from the nearest on.
fn ancestors(directory: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(directory);
    std::iter::from_fn(move || {
        let this = next?;
        next = match this.rsplit_once('/') {
            Some((above, _)) => Some(above),
            None => (!this.is_empty()).then_some(""),
        };
        Some(this)
    })
}

/// The path from the top of what `typed` names in `directory`, or why it names nothing there.
fn inside(directory: &str, typed: &str) -> Result<String, &'static str> {
    if typed.starts_with('/') {
        return Err("is no path from its own file");
    }
    let mut path: Vec<&str> = directory.split('/').filter(|it| !it.is_empty()).collect();
    for part in typed.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(path.pop().ok_or("leads out of the directory of job files")?),
            part => path.push(part),
        }
    }
    if path.is_empty() { Err("names no file") } else { Ok(path.join("/")) }
}

/// That the first line of a text names another program than the one that reads it, if it does.
fn other_interpreter(job: &FileJob) -> Option<FileProblem> {
    let command = job.draft.command.as_deref()?;
    let line = command.strip_prefix("#!")?.lines().next()?;
    let mut words = line.split_whitespace();
    let named = words.next().filter(|word| !word.ends_with("/env")).or_else(|| words.next())?;
    let program = named.rsplit('/').next().unwrap_or(named);
    if job.draft.shell == Some(false) || matches!(program, "sh" | "dash" | "ash") {
        return None;
    }
    let message = format!(
        "the first line of `command` names `{}`, but `/bin/sh` reads it: the line has no effect",
        shown(program)
    );
    Some(job.finding("command", message, String::new()))
}
