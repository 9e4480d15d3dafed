//! The tables of `docs/configuration.md`, from the table of options.

use std::fmt::Write;

use super::chronos::{ChronosFlag, FLAGS, Fate, LACKS};
use super::table::{Row, Table};

/// Begins and ends what is generated.
const OPTIONS: (&str, &str) = ("<!-- options: generated -->\n", "<!-- options: end -->\n");
const CHRONOS: (&str, &str) = ("<!-- chronos: generated -->\n", "<!-- chronos: end -->\n");

/// A document with its generated parts as they have to be: the options between `<!-- options: generated -->` and
/// `<!-- options: end -->`, and what becomes of Chronos' flags between two such lines with `chronos`.
#[must_use]
pub fn regenerated(document: &str) -> String {
    let table = Table::new();
    let document = replaced(document, OPTIONS, &options(&table));
    replaced(&document, CHRONOS, &chronos(&table))
}

fn replaced(document: &str, (begin, end): (&str, &str), text: &str) -> String {
    let Some((before, rest)) = document.split_once(begin) else { return document.to_owned() };
    let Some((_, after)) = rest.split_once(end) else { return document.to_owned() };
    format!("{before}{begin}{text}{end}{after}")
}

/// A table for each heading.
fn options(table: &Table) -> String {
    let mut text = String::new();
    let mut last_heading = "";
    for row in table.rows() {
        if row.is_foreign() {
            continue;
        }
        let heading = row.heading();
        if heading != last_heading {
            let _ = write!(text, "\n### {heading}\n\n");
            text.push_str("| flag | variable | default | meaning |\n|---|---|---|---|\n");
            last_heading = heading;
        }
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            flag(row),
            row.variables().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            row.default().map_or_else(|| "none".to_owned(), |default| format!("`{default}`")),
            meaning(row)
        );
    }
    text.push('\n');
    text
}

/// The flag and its value, as `--help` has it.
fn flag(row: &Row) -> String {
    if row.is_switch() {
        return format!("--{}", row.name);
    }
    let names = row.arg.get_value_names().unwrap_or_default();
    let value = names.first().map_or("VALUE", |name| name.as_str());
    format!("--{} {value}", row.name).replace('|', "\\|")
}

/// The help and what each value of a choice means.
fn meaning(row: &Row) -> String {
    let mut text = row.help();
    if !text.ends_with('.') {
        text.push('.');
    }
    let values = row.arg.get_possible_values();
    let values = values.iter().filter_map(|value| {
        let help = value.get_help()?.to_string();
        let help = help.trim_end_matches('.');
        let mut letters = help.chars();
        let first = letters.next()?.to_lowercase();
        Some(format!("`{}`: {first}{}", value.get_name(), letters.as_str()))
    });
    let values = values.collect::<Vec<_>>().join("; ");
    if !values.is_empty() {
        let _ = write!(text, " {values}.");
    }
    if row.is_secret() {
        text.push_str(" Secret.");
    }
    text.replace('|', "\\|")
}

/// Every flag that Chronos had.
fn chronos(table: &Table) -> String {
    let mut text = String::from(
        "\n| flag of Chronos | versions | default there | here |\n|---|---|---|---|\n",
    );
    for flag in FLAGS {
        let default = match flag.default {
            "" => "none".to_owned(),
            words if words.contains(' ') => words.to_owned(),
            value => format!("`{value}`"),
        };
        let Some(row) = table.row(flag.name) else { continue };
        let _ = writeln!(
            text,
            "| `--{}` | {} | {default} | {} |",
            flag.name,
            flag.versions,
            here(flag, row)
        );
    }
    text.push_str("\nWhat this release does not have:\n\n");
    for lack in LACKS {
        let _ = writeln!(text, "- {}: {}.", lack.what, lack.sentence);
    }
    text.push('\n');
    text
}

fn here(flag: &ChronosFlag, row: &Row) -> String {
    match flag.fate {
        Fate::Kept => {
            let default = row.default().unwrap_or_default();
            match default.as_str() {
                same if same == flag.default => "Means the same.".to_owned(),
                "" => "Means the same; no default.".to_owned(),
                other => format!("Means the same; the default is `{other}`."),
            }
        }
        Fate::Changed(instead) => format!("{instead}."),
        Fate::Idle(..) | Fate::Absent { .. } => format!("{}.", row.help()),
    }
}
