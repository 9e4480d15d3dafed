//! `chronode config show`: every option with its value and where that came from.
//!
//! Printed as the file that `--config` reads, so that it can be taken for one.

use std::io::{self, Write};

use super::resolve::{Resolution, shown};
use super::table::Row;

/// Where the comments begin, if the values leave room.
const COMMENT_COLUMN: usize = 40;

impl Resolution {
    /// Prints every option. Secrets are `***`; Chronos' flags without a meaning are there only if given.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written to.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut last_heading = None;
        for row in self.table.rows() {
            if row.is_foreign() && !self.given.contains_key(&row.name) {
                continue;
            }
            if last_heading != Some(row.heading()) {
                if last_heading.is_some() {
                    writeln!(out)?;
                }
                writeln!(out, "# {}", row.heading())?;
                last_heading = Some(row.heading());
            }
            let (line, origin) = self.line(row);
            writeln!(out, "{line:COMMENT_COLUMN$}  # {origin}")?;
        }
        out.flush()
    }

    fn line(&self, row: &Row) -> (String, String) {
        let name = &row.name;
        let (value, origin) = match (self.given.get(name), row.default()) {
            (Some(given), _) => (shown(row, given), given.source.to_string()),
            (None, Some(default)) => (default, "default".to_owned()),
            (None, None) => return (format!("# {name}:"), "not set".to_owned()),
        };
        // A file cannot name another one.
        let mark = if row.names_a_source() { "# " } else { "" };
        (format!("{mark}{name}: {}", quoted(&value)), origin)
    }
}

/// A text as a scalar of YAML on one line.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+');
    let begins_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let is_null = text.eq_ignore_ascii_case("null");
    if begins_plain && !is_null && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        // JSON's texts are YAML's.
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_where_yaml_would_read_something_else() {
        for plain in ["4400", "0.1", "/var/lib/chronode", "info", "true"] {
            assert_eq!(quoted(plain), plain);
        }
        for (text, expected) in [
            ("", r#""""#),
            ("null", r#""null""#),
            ("a: b", r#""a: b""#),
            ("*", r#""*""#),
            ("a #b", r##""a #b""##),
            ("~", r#""~""#),
            ("two\nlines", r#""two\nlines""#),
            ("---", r#""---""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
