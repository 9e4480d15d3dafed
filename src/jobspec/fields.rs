//! Single values out of an object: lenient as Chronos, and every refusal with its path.
//!
//! A value that cannot be read is noted in [`Findings`] and counts as absent, so that reading goes on and a client
//! hears everything at once. `null` is absence.

use serde_json::{Map, Value};

use super::yaml::Plain;
use super::{Problem, UnknownField, Warning, known};
use crate::model::limits::{LIST_ITEMS_MAX, TEXT_BYTES_MAX};
use crate::model::{Property, Scalar};

/// How many problems, unknown fields and warnings are told of one body. More help nobody, and a hostile body could
/// otherwise be answered with a much longer text.
const TOLD_MAX: usize = 100;

/// Characters of a found text that are repeated to whoever sent it.
const SHOWN_CHARS_MAX: usize = 60;

/// How texts that stand for booleans and numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As Jackson reads them: `true`, `0.5`.
    Json,
    /// Also as YAML's core schema does: `True`, `0x10`.
    Yaml,
}

/// What was found so far.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) spelling: Spelling,
    pub(super) problems: Vec<Problem>,
    pub(super) unknown: Vec<UnknownField>,
    pub(super) warnings: Vec<Warning>,
}

impl Findings {
    pub(super) fn new(spelling: Spelling) -> Self {
        Self { spelling, problems: Vec::new(), unknown: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn refuse(&mut self, field: &str, message: String, remedy: impl Into<String>) {
        push_bounded(
            &mut self.problems,
            Problem { field: field.to_owned(), message, remedy: remedy.into() },
        );
    }

    pub(super) fn warn(&mut self, field: &str, message: String) {
        push_bounded(&mut self.warnings, Warning { field: field.to_owned(), message });
    }

    /// Refuses a value of the wrong shape: ```retries` is `abc`, which is no whole number``.
    fn refuse_shape(&mut self, path: &str, value: &Value, wanted: &str, remedy: &str) {
        // In there a value is a secret, or what was meant as one and stands in the wrong place.
        let told = if path.starts_with("environment") { an(kind(value)) } else { quoted(value) };
        self.refuse(path, format!("`{path}` is {told}, which is {wanted}"), remedy);
    }
}

fn push_bounded<T>(list: &mut Vec<T>, item: T) {
    if list.len() < TOLD_MAX {
        list.push(item);
    }
}

/// What a text may consist of.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextRule {
    /// Its length in bytes at most.
    pub(super) bytes_max: usize,
    refused: Refused,
}

#[derive(Debug, Clone, Copy)]
enum Refused {
    Nothing,
    Nul,
    Control,
}

impl TextRule {
    /// Kept and shown, byte for byte.
    pub(super) const FREE: Self = Self { bytes_max: TEXT_BYTES_MAX, refused: Refused::Nothing };
    /// Handed to a process, whose arguments end at a NUL.
    pub(super) const PROCESS: Self = Self { bytes_max: TEXT_BYTES_MAX, refused: Refused::Nul };
    /// Put into a line of something else, such as the head of a mail.
    pub(super) const LINE: Self = Self { bytes_max: TEXT_BYTES_MAX, refused: Refused::Control };

    pub(super) const fn at_most(self, bytes_max: usize) -> Self {
        Self { bytes_max, ..self }
    }
}

/// An object of the body and its path.
#[derive(Debug, Clone)]
pub(super) struct Object<'v> {
    map: &'v Map<String, Value>,
    path: String,
}

impl<'v> Object<'v> {
    /// `value` as an object whose fields are `fields`; anything else in it is noted as unknown.
    pub(super) fn of(
        value: &'v Value,
        path: &str,
        fields: &[&'static str],
        found: &mut Findings,
    ) -> Option<Self> {
        let Value::Object(map) = value else {
            let message = match path {
                "" => format!("the job is {}", an(kind(value))),
                // A text is not repeated: `TOKEN=hush` may be meant as a variable.
                path => format!("`{path}` is {}, which is no object", an(kind(value))),
            };
            found.refuse(
                path,
                message,
                format!("write an object with fields such as {}", list(fields)),
            );
            return None;
        };
        let object = Self { map, path: path.to_owned() };
        for (key, value) in map {
            // Full, the list takes no more; then looking for the nearest name would be work for nothing.
            if !value.is_null() && !fields.contains(&key.as_str()) && found.unknown.len() < TOLD_MAX
            {
                let nearest = known::nearest(key, fields);
                found.unknown.push(UnknownField { field: object.path_of(key), nearest });
            }
        }
        Some(object)
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a field that is present and not null.
    pub(super) fn get(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A text; numbers and booleans are taken as they are written.
    pub(super) fn text(&self, key: &str, rule: TextRule, found: &mut Findings) -> Option<String> {
        self.get(key).and_then(|value| text_of(value, &self.path_of(key), rule, found))
    }

    /// A text that must be there.
    pub(super) fn required_text(
        &self,
        key: &str,
        rule: TextRule,
        found: &mut Findings,
    ) -> Option<String> {
        if self.get(key).is_none() {
            let path = self.path_of(key);
            found.refuse(&path, format!("`{path}` is missing"), "give it a text");
        }
        self.text(key, rule, found)
    }

    /// One of a few words.
    pub(super) fn word<T>(
        &self,
        key: &str,
        words: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        found: &mut Findings,
    ) -> Option<T> {
        let text = self.text(key, TextRule::FREE, found)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            let path = self.path_of(key);
            let message = format!("`{path}` is `{}`, which is not known", shown(&text));
            found.refuse(&path, message, format!("write {words}, or leave it out"));
        }
        parsed
    }

    /// `true` or `false`, also as text or as 1 or 0.
    pub(super) fn flag(&self, key: &str, found: &mut Findings) -> Option<bool> {
        let value = self.get(key)?;
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => match number.as_u64() {
                Some(1) => Some(true),
                Some(0) => Some(false),
                Some(_) | None => None,
            },
            Value::String(text) => flag_of(text, found.spelling),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        if flag.is_none() {
            let path = self.path_of(key);
            found.refuse_shape(
                &path,
                value,
                "neither true nor false",
                "write `true` or `false`, or leave it out",
            );
        }
        flag
    }

    /// A whole number within a range, also as text.
    pub(super) fn whole(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<i64>,
        found: &mut Findings,
    ) -> Option<i64> {
        whole_of(self.get(key)?, &self.path_of(key), range, found)
    }

    /// A number within a range, to the thousandth, also as text.
    pub(super) fn number(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<Scalar>,
        found: &mut Findings,
    ) -> Option<Scalar> {
        let value = self.get(key)?;
        let path = self.path_of(key);
        let Some(units) = number_of(value, found.spelling) else {
            let remedy = "write a number such as `0.5`, or leave it out";
            found.refuse_shape(&path, value, "no number", remedy);
            return None;
        };
        let (least, most) = (range.start().units(), range.end().units());
        let remedy = format!("write a number from {least} to {most}, or leave it out");
        let why = match Scalar::from_units(units) {
            // It would say nothing, although it was meant to.
            Some(Scalar::ZERO) if units > 0.0 => "less than a thousandth".to_owned(),
            _ if units < least => format!("less than {least}"),
            _ if units > most => format!("more than {most}"),
            number => return number,
        };
        found.refuse(&path, format!("`{path}` is {}, which is {why}", quoted(value)), remedy);
        None
    }

    /// A count: a whole number that is not negative.
    pub(super) fn count(&self, key: &str, found: &mut Findings) -> Option<u64> {
        self.whole(key, 0..=i64::MAX, found).map(i64::unsigned_abs)
    }

    /// An amount of a resource, also as text.
    pub(super) fn amount(&self, key: &str, found: &mut Findings) -> Option<Scalar> {
        let value = self.get(key)?;
        let path = self.path_of(key);
        let Some(units) = number_of(value, found.spelling) else {
            let remedy = "write a number such as `0.5`, or leave it out";
            found.refuse_shape(&path, value, "no number", remedy);
            return None;
        };
        let amount = Scalar::from_units(units);
        let why = match amount {
            // It would become 0, which means the default: much more than was asked for.
            Some(Scalar::ZERO) if units > 0.0 => "less than a thousandth",
            Some(amount) => return Some(amount),
            None if units < 0.0 => "negative",
            None => "more than 10^12",
        };
        let message = format!("`{path}` is {}, which is {why}", quoted(value));
        found.refuse(&path, message, "write a number from 0.001 to 10^12, or 0 for the default");
        None
    }

    /// A list, each item read by `read`.
    pub(super) fn list<T>(
        &self,
        key: &str,
        found: &mut Findings,
        read: impl FnMut(&'v Value, &str, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.short_list(key, LIST_ITEMS_MAX, found, read)
    }

    /// A list of at most `items_max` items.
    pub(super) fn short_list<T>(
        &self,
        key: &str,
        items_max: usize,
        found: &mut Findings,
        mut read: impl FnMut(&'v Value, &str, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.get(key)?;
        let path = self.path_of(key);
        let Value::Array(items) = value else {
            found.refuse_shape(&path, value, "no list", "write a list, or leave it out");
            return None;
        };
        if items.len() > items_max {
            let message =
                format!("`{path}` has {} items; at most {items_max} are allowed", items.len());
            found.refuse(&path, message, "shorten it");
            return None;
        }
        let read_item = |(index, item)| read(item, &format!("{path}[{index}]"), found);
        Some(items.iter().enumerate().filter_map(read_item).collect())
    }

    /// A list of keys and values.
    pub(super) fn properties(&self, key: &str, found: &mut Findings) -> Vec<Property> {
        let read = |item: &'v Value, path: &str, found: &mut Findings| {
            let item = Object::of(item, path, known::PROPERTY, found)?;
            let key = item.required_text("key", TextRule::PROCESS, found);
            let value = item.required_text("value", TextRule::PROCESS, found);
            Some(Property { key: key?, value: value? })
        };
        self.list(key, found, read).unwrap_or_default()
    }
}

/// A whole number within a range, also as text.
pub(super) fn whole_of(
    value: &Value,
    path: &str,
    range: std::ops::RangeInclusive<i64>,
    found: &mut Findings,
) -> Option<i64> {
    let Some(whole) = exact_whole(value, found.spelling) else {
        let is_large = number_of(value, found.spelling).is_some_and(|n| n.fract() == 0.0);
        let wanted = if is_large { "too large" } else { "no whole number" };
        let remedy = "write a whole number such as `2`, or leave it out";
        found.refuse_shape(path, value, wanted, remedy);
        return None;
    };
    if range.contains(&whole) {
        return Some(whole);
    }
    let (message, remedy) = if whole < *range.start() {
        let message = format!("`{path}` is `{whole}`, which is less than {}", range.start());
        (message, format!("write {} or more", range.start()))
    } else {
        let message = format!("`{path}` is `{whole}`, which is more than {}", range.end());
        (message, format!("write at most {}", range.end()))
    };
    found.refuse(path, message, remedy);
    None
}

/// A scalar as text, checked against `rule`.
pub(super) fn text_of(
    value: &Value,
    path: &str,
    rule: TextRule,
    found: &mut Findings,
) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            found.refuse_shape(path, value, "no text", "write a text");
            return None;
        }
    };
    if text.len() > rule.bytes_max {
        let message =
            format!("`{path}` has {} bytes; at most {} are allowed", text.len(), rule.bytes_max);
        found.refuse(path, message, "shorten it");
        return None;
    }
    // The text itself is not repeated: it may be a secret.
    let offender = text.chars().enumerate().find(|&(_, c)| match rule.refused {
        Refused::Nothing => false,
        Refused::Nul => c == '\0',
        Refused::Control => c.is_control(),
    });
    if let Some((index, c)) = offender {
        let message = format!(
            "`{path}` contains the control character `{}` at position {}",
            c.escape_debug(),
            index + 1
        );
        found.refuse(path, message, "remove it");
        return None;
    }
    Some(text)
}

fn flag_of(text: &str, spelling: Spelling) -> Option<bool> {
    match (text.trim_ascii(), spelling) {
        ("true", _) => Some(true),
        ("false", _) => Some(false),
        (text, Spelling::Yaml) => match Plain::of(text) {
            Plain::Flag(flag) => Some(flag),
            Plain::Null | Plain::Whole(_) | Plain::Other => None,
        },
        (_, Spelling::Json) => None,
    }
}

fn exact_whole(value: &Value, spelling: Spelling) -> Option<i64> {
    let exactly = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim_ascii().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    exactly.or_else(|| whole_units(number_of(value, spelling)?))
}

/// A number such as `2.0` or `1e3` that is whole.
fn whole_units(units: f64) -> Option<i64> {
    // Beyond 2⁵³ a double no longer tells neighbours apart, so nobody can have meant this one.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if units.fract() != 0.0 || units.abs() > EXACT_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "just checked to be whole and small")]
    Some(units as i64)
}

fn number_of(value: &Value, spelling: Spelling) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => units_of(text.trim_ascii(), spelling),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| number.is_finite())
}

fn units_of(text: &str, spelling: Spelling) -> Option<f64> {
    match (text.parse(), spelling) {
        (Ok(units), _) => Some(units),
        (Err(_), Spelling::Json) => None,
        (Err(_), Spelling::Yaml) => match Plain::of(text) {
            // From a hexadecimal or octal text; decimal ones were read above.
            #[expect(clippy::cast_precision_loss, reason = "the limits lie far below 2⁵³")]
            Plain::Whole(whole) => Some(whole as f64),
            Plain::Null | Plain::Flag(_) | Plain::Other => None,
        },
    }
}

/// What a value is, in one word.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// With its article.
pub(super) fn an(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        "object" => "an object".to_owned(),
        kind => format!("a {kind}"),
    }
}

/// A found value in back-ticks, or what it is.
fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", shown(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::Array(_) | Value::Object(_) => an(kind(value)),
    }
}

/// A found text as it is repeated: escaped and cut.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// Names in back-ticks, separated by commas.
fn list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
