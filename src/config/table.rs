//! The one table of options: clap's description of [`ServeFlags`], and Chronos' flags that are not in it.
//!
//! Everything that deals with all options asks this table: the command line, the file, the directory, `--help`,
//! `chronode config`, the documentation. The environment is not left to clap, because clap could not say of which
//! variable it complains.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args, Command, value_parser};

use super::ServeFlags;
use super::chronos::{ChronosFlag, FLAGS, Fate, Form};

/// The heading of Chronos' flags that do nothing.
const IDLE_HEADING: &str = "Flags of Chronos that have nothing to do here";
/// The heading of Chronos' flags that ask for what is not there.
const ABSENT_HEADING: &str = "Flags of Chronos for what this release does not have";

/// An option.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The name of the flag, without dashes: the key in a file, the name of the file in a directory.
    pub(super) name: String,
    /// As it is declared.
    pub(super) arg: Arg,
    /// What Chronos had under this name.
    pub(super) chronos: Option<&'static ChronosFlag>,
}

impl Row {
    fn new(arg: &Arg) -> Option<Self> {
        let name = arg.get_long()?.to_owned();
        let chronos = FLAGS.iter().find(|flag| flag.name == name);
        Some(Self { name, arg: arg.clone(), chronos })
    }

    /// The variables of the environment that it is read from, the stronger one first.
    pub(super) fn variables(&self) -> Vec<String> {
        variables(&self.name, &self.arg)
    }

    /// Whether it is `true` when it is given without a value.
    pub(super) fn is_switch(&self) -> bool {
        is_switch(&self.arg)
    }

    /// Whether its value is shown to nobody.
    pub(super) fn is_secret(&self) -> bool {
        self.arg.is_hide_env_values_set()
    }

    /// Whether it tells where other options are, and so can be given on the command line and in the environment only.
    pub(super) fn names_a_source(&self) -> bool {
        matches!(self.name.as_str(), "config" | "config_dir")
    }

    /// What it stands under.
    pub(super) fn heading(&self) -> &str {
        self.arg.get_help_heading().unwrap_or("Other")
    }

    /// Whether it is one of Chronos' flags that have no meaning here.
    pub(super) fn is_foreign(&self) -> bool {
        self.chronos.is_some_and(|flag| matches!(flag.fate, Fate::Idle(..) | Fate::Absent { .. }))
    }

    /// What it does, in one paragraph.
    pub(super) fn help(&self) -> String {
        let help = self.arg.get_long_help().or_else(|| self.arg.get_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        help.lines().collect::<Vec<_>>().join(" ")
    }

    /// The text that its default would be given by.
    pub(super) fn default(&self) -> Option<String> {
        if self.is_switch() {
            return Some("false".to_owned());
        }
        let texts = self.arg.get_default_values().iter();
        let texts: Vec<_> = texts.map(|text| text.to_string_lossy()).collect();
        let text = texts.join(",");
        (!text.is_empty()).then_some(text)
    }
}

/// All options.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    command: Command,
}

impl Table {
    pub(super) fn new() -> Self {
        let declared = declared(Command::new("serve").no_binary_name(true));
        let mut rows: Vec<Row> = declared.get_arguments().filter_map(Row::new).collect();
        let mut headings: Vec<&str> = Vec::new();
        let ranks: BTreeMap<String, usize> = rows
            .iter()
            .map(|row| {
                let heading = row.heading();
                let rank = headings.iter().position(|known| *known == heading);
                let rank = rank.unwrap_or_else(|| {
                    headings.push(heading);
                    headings.len() - 1
                });
                (row.name.clone(), rank)
            })
            .collect();
        rows.sort_by_key(|row| ranks[&row.name]);
        let mut command = declared.mut_args(prepared);
        command.build();
        Self { rows, command }
    }

    /// In the order of `--help`: heading by heading.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The option that `unknown` was probably meant to be.
    pub(super) fn nearest(&self, unknown: &str) -> Option<String> {
        let underscored = unknown.replace('-', "_");
        if self.row(&underscored).is_some() {
            return Some(underscored);
        }
        let error = self.command.clone().try_get_matches_from([format!("--{unknown}")]).err()?;
        match error.get(ContextKind::SuggestedArg)? {
            ContextValue::String(flag) => Some(flag.trim_start_matches('-').to_owned()),
            _ => None,
        }
    }

    /// Whether a value has the type of its option.
    ///
    /// # Errors
    ///
    /// What would be right.
    pub(super) fn check(&self, row: &Row, text: &OsStr) -> Result<(), String> {
        let Err(error) = self.command.clone().try_get_matches_from([argument(&row.name, text)])
        else {
            return Ok(());
        };
        match error.kind() {
            // How options go together can be told when all are there.
            ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict => Ok(()),
            _ => Err(expected(&error)),
        }
    }

    /// The typed flags, from options as they were given.
    ///
    /// # Errors
    ///
    /// clap's, if a value is wrong or options do not go together.
    pub(super) fn flags<'a>(
        &self,
        given: impl Iterator<Item = (&'a str, &'a OsStr)>,
    ) -> Result<ServeFlags, clap::Error> {
        let arguments = given.map(|(name, text)| argument(name, text));
        let matches = self.command.clone().try_get_matches_from(arguments)?;
        clap::FromArgMatches::from_arg_matches(&matches)
    }
}

fn argument(name: &str, text: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{name}="));
    argument.push(text);
    argument
}

/// What would be right, of an error about a value.
fn expected(error: &clap::Error) -> String {
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue)
        && !values.is_empty()
    {
        return format!("give one of `{}`", values.join("`, `"));
    }
    let Some(source) = error.source() else { return whole(error) };
    let is_no_number = source.downcast_ref::<ParseIntError>().is_some_and(|error| {
        matches!(error.kind(), IntErrorKind::InvalidDigit | IntErrorKind::Empty)
    });
    if is_no_number {
        "give a whole number".to_owned()
    } else if source.is::<ParseFloatError>() {
        "give a number".to_owned()
    } else {
        source.to_string()
    }
}

/// An error of clap's as a sentence, without its decoration.
pub(super) fn whole(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}

/// The variable of a name.
pub(super) fn variable(name: &str) -> String {
    format!("CHRONODE_{}", name.to_ascii_uppercase())
}

/// The variable of its name, and the one that Chronos read, if the flag declares that.
fn variables(name: &str, arg: &Arg) -> Vec<String> {
    let own = variable(name);
    let declared = arg.get_env().map(|declared| declared.to_string_lossy().into_owned());
    let chronos = declared.filter(|declared| *declared != own);
    std::iter::once(own).chain(chronos).collect()
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Adds all options to a command, as its users see them.
pub(super) fn augment(command: Command) -> Command {
    declared(command).mut_args(prepared)
}

/// Adds all options to a command, as they are declared.
///
/// One that names no heading stands under that of the option before it.
fn declared(command: Command) -> Command {
    let mut heading = String::new();
    let command = ServeFlags::augment_args(command).mut_args(|arg| {
        if let Some(own) = arg.get_help_heading() {
            own.clone_into(&mut heading);
            return arg;
        }
        arg.help_heading(heading.clone())
    });
    command.args(FLAGS.iter().filter_map(foreign))
}

/// How an option is read: a switch also as `--flag=false`, a name also with hyphens, and the variables only told of.
fn prepared(arg: Arg) -> Arg {
    let Some(name) = arg.get_long().map(str::to_owned) else { return arg };
    let variables = variables(&name, &arg).join(", ");
    let help = arg.get_help().map(|text| format!("{text} [env: {variables}]"));
    let long_help = arg.get_long_help().map(|text| format!("{text} [env: {variables}]"));
    let hyphened = name.replace('_', "-");
    let has_alias = arg.get_all_aliases().is_some_and(|all| all.contains(&hyphened.as_str()));
    let mut arg = arg.env(None::<&str>);
    if hyphened != name && !has_alias {
        arg = arg.alias(hyphened);
    }
    if is_switch(&arg) {
        arg = as_switch(arg);
    }
    if let Some(help) = help {
        arg = arg.help(help);
    }
    if let Some(help) = long_help {
        arg = arg.long_help(help);
    }
    arg
}

fn as_switch(arg: Arg) -> Arg {
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .value_name("true|false")
        .default_missing_value("true")
        .default_value("false")
        .hide_default_value(true)
        .value_parser(ValueParser::new(switch))
}

/// The words of YAML 1.1 and of shell scripts for both.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("give `true` or `false`".to_owned()),
    }
}

/// A flag of Chronos that is not one of ours.
fn foreign(flag: &'static ChronosFlag) -> Option<Arg> {
    let (form, heading, help) = match flag.fate {
        Fate::Kept | Fate::Changed(_) => return None,
        Fate::Idle(form, reason) => {
            (form, IDLE_HEADING, format!("Accepted with a warning: {reason}"))
        }
        Fate::Absent { form, harmless, lacks } => {
            let but = match harmless {
                "" => "Refused".to_owned(),
                harmless => format!("Refused but for `{harmless}`"),
            };
            (form, ABSENT_HEADING, format!("{but}: asks for {}", lacks.what))
        }
    };
    let arg = Arg::new(flag.name)
        .long(flag.name)
        .help(help)
        .help_heading(heading)
        .hide_short_help(true)
        .hide_env_values(form == Form::Secret);
    Some(match form {
        Form::Switch => arg.action(ArgAction::SetTrue),
        Form::Count => arg.value_name("N").value_parser(value_parser!(u64)),
        Form::Text | Form::Secret => arg.value_name("TEXT").value_parser(ValueParser::string()),
    })
}
