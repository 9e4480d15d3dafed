//! A body as a job file: one field a line, and every text that could be taken for something else in quotes.

use serde_json::{Map, Value};

/// Characters of a file name; with the ending it stays below what file systems take.
const NAME_CHARS_MAX: usize = 180;

/// The file for the job of this name: the same name always gives the same file, and two names never one.
#[must_use]
pub fn file_name(job: &str) -> String {
    let mut name = String::new();
    for (index, byte) in job.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if is_plain || (byte == b'.' && index > 0) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.len() > NAME_CHARS_MAX {
        // FNV-1a: stable for ever, and nobody chooses names against it.
        let hash = job.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        name.truncate(NAME_CHARS_MAX);
        name.push_str(&format!("%-{hash:016x}"));
    }
    name.push_str(".yaml");
    name
}

/// The file. `heading` are lines of comment above it.
#[must_use]
pub fn print_file(body: &Map<String, Value>, heading: &[String]) -> String {
    let mut text = String::new();
    for line in heading {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    for (field, value) in body {
        match value {
            Value::Array(items) if !items.is_empty() => {
                text.push_str(&format!("{field}:\n"));
                for item in items {
                    text.push_str(&format!("  - {}\n", flow(item)));
                }
            }
            Value::String(lines) if is_block(lines) => {
                let keep = if lines.ends_with('\n') { "|" } else { "|-" };
                text.push_str(&format!("{field}: {keep}\n"));
                for line in lines.lines() {
                    let indent = if line.is_empty() { "" } else { "  " };
                    text.push_str(&format!("{indent}{line}\n"));
                }
            }
            Value::String(word) if is_word(word) => text.push_str(&format!("{field}: {word}\n")),
            value => text.push_str(&format!("{field}: {}\n", flow(value))),
        }
    }
    text
}

/// Texts of several lines that can stand as they are, one below the other.
fn is_block(text: &str) -> bool {
    let is_plain =
        |c: char| c == '\n' || matches!(c, ' '..='~') || (c > '\u{a0}' && c.is_alphanumeric());
    text.contains('\n')
        && text.chars().all(is_plain)
        // Their indentation would be taken for that of the block.
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
}

/// Texts that are the same without quotes, in every dialect of YAML.
fn is_word(text: &str) -> bool {
    let is_word_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(is_word_char)
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

/// JSON, which YAML reads too, but for characters that it does not want to see as they are.
fn flow(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text
}
