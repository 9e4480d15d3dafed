//! Columns for people. Programs ask for JSON.

use std::io::{self, Write};

use serde_json::Value;

/// Prints rows under their heads, columns as wide as their widest cell, two blanks between them.
pub(super) fn print(out: &mut dyn Write, heads: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).collect();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..heads.len()).map(|column| width(column).unwrap_or(0)).collect();
    for line in lines {
        let cells = line.iter().zip(&widths);
        let text: Vec<String> = cells.map(|(cell, &width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", text.join("  ").trim_end())?;
    }
    Ok(())
}

/// A value of a document as a cell: texts as they are, nothing as `-`, everything else as JSON.
///
/// Control characters are escaped: a job's description must not steer the terminal.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => plain(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            plain(&value.to_string())
        }
    }
}

/// A number of things, such as `1 job` and `2 jobs`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A text with its control characters and invisible ones escaped.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => plain.push(c),
            _ => plain.extend(c.escape_debug()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_without_blanks() {
        let mut out = Vec::new();
        let rows = [vec!["é".to_owned(), "x".to_owned()], vec!["long".to_owned(), String::new()]];
        print(&mut out, &["A", "B"], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "A     B\né     x\nlong\n");
    }

    #[test]
    fn cells_cannot_steer_the_terminal() {
        assert_eq!(cell(&json!("\u{1b}[2J\n'é'\u{202e}")), "\\u{1b}[2J\\n'é'\\u{202e}");
        assert_eq!(cell(&json!(null)), "-");
        assert_eq!(cell(&json!("")), "-");
        assert_eq!(cell(&json!(["a"])), "[\"a\"]");
    }
}
