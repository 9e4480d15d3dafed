//! Scripts without their comments: these are for whoever reads the source, and a third of what a browser would wait for.
//!
//! Lines stay where they are, so that what a browser says of a line is true of the source as well. Whether a slash divides
//! or begins a pattern depends on what stands before it; where that does not decide it, a script is left as it is.

/// What a slash is that comes next, if it begins no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slash {
    Divides,
    BeginsPattern,
    /// A reader of the whole grammar would know.
    Unclear,
}

/// What has been opened and not yet closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A round bracket, with what a slash is behind its end.
    Round(Slash),
    Square,
    Curly,
    /// Text between backticks.
    Template,
    /// Code in such a text.
    Hole,
}

/// A script as far as it has been read.
struct Reading<'a> {
    script: &'a str,
    at: usize,
    kept: String,
    open: Vec<Open>,
    slash: Slash,
}

/// The script without comments; `None` where it cannot be told what is one.
pub(super) fn without_comments(script: &str) -> Option<String> {
    // They end a line as well, which nobody sees.
    if script.contains(['\u{2028}', '\u{2029}']) {
        return None;
    }
    let mut reading = Reading {
        script,
        at: 0,
        kept: String::with_capacity(script.len()),
        open: Vec::new(),
        slash: Slash::BeginsPattern,
    };
    while let Some(next) = reading.byte(0) {
        if reading.open.last() == Some(&Open::Template) {
            reading.template(next)?;
        } else {
            reading.code(next)?;
        }
    }
    reading.open.is_empty().then_some(reading.kept)
}

impl Reading<'_> {
    /// The byte that is so far ahead.
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.script.as_bytes().get(self.at + ahead).copied()
    }

    /// Keeps what comes, of this length.
    fn keep(&mut self, length: usize) -> Option<()> {
        self.kept.push_str(self.script.get(self.at..self.at + length)?);
        self.at += length;
        Some(())
    }

    /// Up to and with the first byte that ends it, in code and outside of comments.
    fn code(&mut self, next: u8) -> Option<()> {
        match (next, self.byte(1)) {
            (b'/', Some(b'/' | b'*')) => return self.comment(),
            (b'/', _) => return self.slash(),
            (b'"' | b'\'', _) => return self.string(next),
            (b' ' | b'\t' | b'\r' | b'\n', _) => return self.keep(1),
            (byte, _) if is_of_word(byte) => return self.word(),
            (b'+' | b'-', Some(second)) if next == second => {
                self.slash = Slash::Unclear;
                return self.keep(2);
            }
            _ => {}
        }
        let mut slash = Slash::BeginsPattern;
        match next {
            b'`' => self.open.push(Open::Template),
            b'(' => self.open.push(Open::Round(self.slash_behind_round())),
            b'[' => self.open.push(Open::Square),
            b'{' => self.open.push(Open::Curly),
            b')' => match self.open.pop()? {
                Open::Round(behind) => slash = behind,
                Open::Square | Open::Curly | Open::Template | Open::Hole => return None,
            },
            b']' => match self.open.pop()? {
                Open::Square => slash = Slash::Divides,
                Open::Round(_) | Open::Curly | Open::Template | Open::Hole => return None,
            },
            b'}' => match self.open.pop()? {
                Open::Curly => slash = Slash::Unclear,
                Open::Hole => {}
                Open::Round(_) | Open::Square | Open::Template => return None,
            },
            // `1. / 2`
            b'.' => slash = Slash::Unclear,
            _ => {}
        }
        self.slash = slash;
        self.keep(1)
    }

    /// What a slash is behind the round bracket that begins here: behind `if (…)` a statement begins.
    fn slash_behind_round(&self) -> Slash {
        let before = self.kept.trim_end();
        let name = before.trim_end_matches(|sign: char| !sign.is_ascii() || is_of_word(sign as u8));
        match before.get(name.len()..).unwrap_or_default() {
            "if" | "while" | "for" | "with" | "await" => Slash::Unclear,
            _ => Slash::Divides,
        }
    }

    /// A name, a number or a word of the language.
    fn word(&mut self) -> Option<()> {
        let rest = &self.script.as_bytes()[self.at..];
        let length = rest.iter().take_while(|byte| is_of_word(**byte)).count();
        let is_key = self.kept.trim_end().ends_with('.') && !self.kept.ends_with("...");
        self.slash = match self.script.get(self.at..self.at + length)? {
            _ if is_key => Slash::Divides,
            "return" | "typeof" | "case" | "in" | "instanceof" | "delete" | "void" | "throw"
            | "new" | "else" | "do" | "default" | "extends" => Slash::BeginsPattern,
            // Names outside of what gives them a meaning.
            "of" | "await" | "yield" => Slash::Unclear,
            _ => Slash::Divides,
        };
        self.keep(length)
    }

    fn string(&mut self, quote: u8) -> Option<()> {
        let mut length = 1;
        loop {
            match self.byte(length)? {
                b'\\' => length += 2,
                b'\n' => return None,
                byte if byte == quote => break,
                _ => length += 1,
            }
        }
        self.slash = Slash::Divides;
        self.keep(length + 1)
    }

    /// One sign of a text between backticks, or its end, or the begin of code in it.
    fn template(&mut self, next: u8) -> Option<()> {
        let length = match (next, self.byte(1)) {
            (b'`', _) => {
                self.open.pop();
                self.slash = Slash::Divides;
                1
            }
            (b'$', Some(b'{')) => {
                self.open.push(Open::Hole);
                self.slash = Slash::BeginsPattern;
                2
            }
            // What is escaped may have more bytes; none of the others means anything here.
            _ => {
                let escaped = usize::from(next == b'\\');
                let rest = self.script.get(self.at + escaped..)?;
                escaped + rest.chars().next()?.len_utf8()
            }
        };
        self.keep(length)
    }

    fn slash(&mut self) -> Option<()> {
        match self.slash {
            Slash::Unclear => None,
            Slash::Divides => {
                self.slash = Slash::BeginsPattern;
                self.keep(1)
            }
            Slash::BeginsPattern => self.pattern(),
        }
    }

    fn pattern(&mut self) -> Option<()> {
        let (mut length, mut is_in_class) = (1, false);
        loop {
            match self.byte(length)? {
                b'\\' => length += 1,
                b'\n' => return None,
                b'[' => is_in_class = true,
                b']' => is_in_class = false,
                b'/' if !is_in_class => break,
                _ => {}
            }
            length += 1;
        }
        length += 1;
        while self.byte(length).is_some_and(is_of_word) {
            length += 1;
        }
        self.slash = Slash::Divides;
        self.keep(length)
    }

    /// Leaves it out, but for the ends of its lines.
    fn comment(&mut self) -> Option<()> {
        let rest = self.script.get(self.at..)?;
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            rest.get(2..)?.find("*/")? + 4
        };
        let lines = rest.get(..length)?.matches('\n').count();
        self.at += length;
        let is_blank = |byte: Option<u8>| matches!(byte, None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        if lines > 0 || is_blank(self.byte(0)) {
            // Blanks before it, or those behind it, part what is left as well.
            self.kept.truncate(self.kept.trim_end_matches([' ', '\t']).len());
        } else if !is_blank(self.kept.as_bytes().last().copied()) {
            self.kept.push(' ');
        }
        self.kept.extend(std::iter::repeat_n('\n', lines));
        Some(())
    }
}

/// Whether it can be in a name or a number.
const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_lines_stay() {
        for (script, expected) in [
            ("", ""),
            ("a; // b\nc", "a;\nc"),
            ("// a", ""),
            ("/** a\n * b */\nc", "\n\nc"),
            (
                "  /** @type {A} */\n  let a = (/** @type {any} */ b) => b;",
                "\n  let a = ( b) => b;",
            ),
            ("let a = (/* b */ c);", "let a = ( c);"),
            ("return/* a */b", "return b"),
            ("a /* b */ c", "a c"),
            ("a /* b */c", "a c"),
            ("a /* b\n */ c", "a\n c"),
            ("a = b /* c */ / d; // e", "a = b / d;"),
            ("a = 4 / 2 / 1; // \"", "a = 4 / 2 / 1;"),
            ("/**/a", "a"),
        ] {
            assert_eq!(without_comments(script).as_deref(), Some(expected), "{script}");
            assert_eq!(script.matches('\n').count(), expected.matches('\n').count(), "{script}");
        }
    }

    #[test]
    fn what_looks_like_a_comment_and_is_none_stays() {
        for script in [
            "\"// a\" + '/* b */' + \"\\\" // c\" + '\\\\'",
            "`// a ${b + `/* ${c}` + \"}\"} // d \\` // e \\${ // f`",
            "`${{ a: { b: \"}\" } }.a} // c`",
            "`ä \\ä // ö`",
            "html`<a href=\"https://b/c\">// ${d.map((e) => html`<b>/* ${e} */</b>`)}</a>`",
            "a.replace(/[/*\"'`]/g, \"/*\")",
            "a = /\\/* [\\]//*] `/.test(b)",
            "[/\\//, /'/u]",
            "return /\"/.test(a)",
            "const a = b ? /'/ : /\"/;",
            "a => /`/.test(a)",
            "({ a: /'/ })",
            "a && /'/.test(b) || !/\"/.test(c)",
            "(a + b) / c + d[0] / e + f.return / g + `h` / 2",
            "`${/`/.test(a)}`",
        ] {
            assert_eq!(without_comments(script).as_deref(), Some(script));
        }
    }

    #[test]
    fn what_is_not_clear_is_left_as_it_is() {
        for script in [
            "if (a) /'/.test(b)",
            "if (a) {} /'/.test(b)",
            "a++ / b",
            "for await (a of b) /'/.test(a)",
            "1. / 2",
            "a /* b",
            "\"a",
            "'a\n'",
            "`a",
            "`${a`",
            "/a",
            "= /a\n/",
            "(a]",
            "a)",
            "`${a)}`",
            "{",
            "a // b\u{2028}c",
            "\"\\",
            "/\\",
            "`\\",
        ] {
            assert_eq!(without_comments(script), None, "{script}");
        }
    }
}
