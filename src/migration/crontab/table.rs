//! A crontab as cron reads it: settings of the environment, entries, and what it cannot read.
//!
//! Follows `env.c` and `entry.c` of Debian's cron 3.0pl1-162 character by character: what looks like a comment at the
//! end of a line is part of the command, quotes in a setting are taken off or not as there, and a setting holds for the
//! entries below it.

/// What a table looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// The table of this user, as `crontab -l` prints it.
    User(String),
    /// `/etc/crontab` and files of `/etc/cron.d`: entries name the user.
    System,
}

/// What stands in a table, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Something that is run.
    Entry(Entry),
    /// A line that cron cannot read.
    Refused {
        /// The line's number, from 1.
        line: usize,
        /// As it stands there.
        text: String,
        /// Why; completes "cron …".
        why: String,
    },
}

/// A line that is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub line: usize,
    /// Five fields, or a word that begins with `@`.
    pub when: String,
    /// Who runs it.
    pub user: String,
    /// As typed, with its `%`.
    pub command: String,
    /// The settings above it, in their order; a later one of a name counts.
    pub environment: Vec<(String, String)>,
    /// The lines of comment directly above it, without `#`.
    pub comment: Vec<String>,
}

/// Cron keeps so many bytes of a setting.
const SETTING_BYTES_MAX: usize = 1_000;

/// Reads a table.
#[must_use]
pub fn read(text: &str, format: &Format) -> Vec<Item> {
    let mut items = Vec::new();
    let mut environment: Vec<(String, String)> = Vec::new();
    let mut comment = Vec::new();
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let line = index + 1;
        let text = raw.strip_suffix('\n').unwrap_or(raw);
        let begun = text.trim_start_matches([' ', '\t']);
        if begun.is_empty() {
            comment.clear();
            continue;
        }
        if let Some(said) = begun.strip_prefix('#') {
            comment.push(said.trim().to_owned());
            continue;
        }
        if let Some((name, value)) = setting(begun) {
            environment.retain(|(known, _)| *known != name);
            environment.push((name, value));
            comment.clear();
            continue;
        }
        let comment = std::mem::take(&mut comment);
        items.push(match entry(begun, format) {
            Err(why) => Item::Refused { line, text: text.to_owned(), why },
            Ok(_) if !raw.ends_with('\n') => Item::Refused {
                line,
                text: text.to_owned(),
                why: "wants a line break at the end of the last line".to_owned(),
            },
            Ok((when, user, command)) => {
                let environment = environment.clone();
                Item::Entry(Entry { line, when, user, command, environment, comment })
            }
        });
    }
    items
}

/// Where the reader of a setting is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Name,
    BeforeEquals,
    AfterEquals,
    Value,
    End,
}

/// `NAME = value`, each with or without quotes.
fn setting(text: &str) -> Option<(String, String)> {
    let text: String = text.chars().take(SETTING_BYTES_MAX).collect();
    let (mut name, mut value) = (String::new(), String::new());
    let mut chars = text.chars().peekable();
    let quote_of = |c: Option<&char>| c.copied().filter(|c| matches!(c, '\'' | '"'));
    let mut quote = quote_of(chars.peek());
    if quote.is_some() {
        chars.next();
    }
    let mut at = At::Name;
    for c in chars {
        let is_blank = is_space(c);
        match at {
            At::Name if quote == Some(c) => at = At::BeforeEquals,
            At::Name if quote.is_none() && is_blank => at = At::BeforeEquals,
            At::Name | At::BeforeEquals if c == '=' => {
                at = At::AfterEquals;
                quote = None;
            }
            At::Name => name.push(c),
            At::BeforeEquals if is_blank => {}
            At::BeforeEquals => return None,
            At::AfterEquals if is_blank => {}
            At::AfterEquals => {
                at = At::Value;
                quote = quote_of(Some(&c));
                if quote.is_none() {
                    value.push(c);
                }
            }
            At::Value if quote == Some(c) => at = At::End,
            At::Value => value.push(c),
            At::End if is_blank => {}
            At::End => return None,
        }
    }
    match (at, quote) {
        (At::End, _) => Some((name, value)),
        (At::Value, None) => Some((name, value.trim_end_matches(is_space).to_owned())),
        _ => None,
    }
}

/// As C has it.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// Fields, user and command, or why cron gives the line up.
fn entry(text: &str, format: &Format) -> Result<(String, String, String), String> {
    let blank = [' ', '\t'];
    let mut rest = text;
    let mut word = || {
        let end = rest.find(blank).unwrap_or(rest.len());
        let word = &rest[..end];
        rest = rest[end..].trim_start_matches(blank);
        word
    };
    let count = if text.starts_with('@') { 1 } else { 5 };
    let fields: Vec<&str> = (0..count).map(|_| word()).collect();
    if fields.iter().any(|field| field.is_empty()) {
        return Err("finds fewer than five fields in it".to_owned());
    }
    let user = match format {
        Format::User(name) => name.clone(),
        Format::System => word().to_owned(),
    };
    if user.is_empty() {
        return Err("finds no user in it".to_owned());
    }
    // Some daemons take a dash in front of a user or a line for "do not log it"; Debian's does not.
    if rest.is_empty() {
        return Err(match format {
            Format::User(_) => "finds no command in it".to_owned(),
            Format::System => {
                format!("takes `{}` for the user and finds no command in it", user.escape_debug())
            }
        });
    }
    Ok((fields.join(" "), user, rest.to_owned()))
}

/// A command as cron hands it to the shell, and what it writes to its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Up to the first `%`, with `\%` as `%`.
    pub command: String,
    /// After it; `None` if there is no `%`. Each further `%` begins a line.
    pub input: Option<String>,
}

/// Takes a command apart at its first `%`.
#[must_use]
pub fn split(typed: &str) -> Split {
    let mut command = String::new();
    let mut chars = typed.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => return Split { command, input: Some(input(chars.as_str())) },
            '\\' => match chars.next() {
                Some(next @ '%') => command.push(next),
                Some(next) => command.extend([c, next]),
                None => command.push(c),
            },
            c => command.push(c),
        }
    }
    Split { command, input: None }
}

fn input(typed: &str) -> String {
    let mut text = String::new();
    let mut is_escaped = false;
    for c in typed.chars() {
        if is_escaped && c == '%' {
            // The backslash goes.
            text.pop();
            text.push(c);
            is_escaped = false;
            continue;
        }
        text.push(if c == '%' { '\n' } else { c });
        is_escaped = c == '\\';
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
