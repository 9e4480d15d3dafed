//! Whether what follows the text of a command reaches the last command in it.
//!
//! Arguments follow the text of a job (the compatibility sheet 5.1 and 5.3). Behind `tar -c` they are arguments; behind
//! `cd /srv;` they are a command of their own, and behind a comment nothing. Whoever wrote the text may have meant either,
//! so a job's own arguments follow whatever it ends in. Those of a run come from people who may run the job, not choose
//! what it runs, so they are taken only where they can be nothing but arguments.
//!
//! This is no parser of the shell's language. It goes through the words once and answers "no" wherever it is not sure.

/// Words behind which a command begins.
const OPENING: [&[u8]; 10] =
    [b"if", b"then", b"else", b"elif", b"while", b"until", b"do", b"!", b"{", b"time"];

/// Words that end a compound command, behind which nothing but a redirection may stand.
const CLOSING: [&[u8]; 4] = [b"fi", b"done", b"esac", b"}"];

const OPEN_QUOTE: &str = "ends inside of quotes or of a substitution";
const HERE_DOCUMENT: &str = "ends in a here-document";

/// How far the last command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// What comes next is its name.
    Nothing,
    /// It has words, but each may expand to none.
    Perhaps,
    /// It has a name.
    Named,
    /// It is a compound command and over.
    Closed,
}

/// A here-document that begins behind the line.
struct Document {
    end: Vec<u8>,
    is_quoted: bool,
    is_indented: bool,
}

/// What the next word is, if it is none of the command's.
enum Target {
    File,
    Document { is_indented: bool },
}

/// A word of the text.
struct Word<'a> {
    raw: &'a [u8],
    /// It is a word whatever its parts expand to.
    is_firm: bool,
    /// It stands for itself.
    is_plain: bool,
}

/// Answers with how the text ends if what follows it might be anything but arguments of its last command.
pub(super) fn takes_arguments(text: &str) -> Result<(), &'static str> {
    let mut scan = Scan { bytes: text.trim_end().as_bytes(), at: 0 };
    let mut begun = Begun::Nothing;
    let mut target = None;
    let mut documents: Vec<Document> = Vec::new();
    while let Some(byte) = scan.peek() {
        match byte {
            b' ' | b'\t' => scan.at += 1,
            b'\\' if scan.rest().starts_with(b"\\\n") => scan.at += 2,
            b'#' => scan.skip_comment()?,
            b'\n' => {
                scan.at += 1;
                for document in documents.drain(..) {
                    scan.skip_document(&document)?;
                }
                begun = Begun::Nothing;
            }
            b';' | b'&' | b'|' | b'(' => {
                scan.at += 1;
                begun = Begun::Nothing;
            }
            b')' => {
                scan.at += 1;
                begun = Begun::Closed;
            }
            b'<' | b'>' => target = Some(scan.redirection()),
            _ => {
                let word = scan.word()?;
                let is_number = word.raw.iter().all(u8::is_ascii_digit);
                if is_number && matches!(scan.peek(), Some(b'<' | b'>')) {
                    continue;
                }
                match target.take() {
                    Some(Target::Document { is_indented }) => {
                        documents.push(Document::behind(&word, is_indented));
                    }
                    Some(Target::File) => {}
                    None => begun = begun.with(&word),
                }
            }
        }
    }
    if target.is_some() {
        return Err("ends in a redirection without its file");
    }
    if !documents.is_empty() {
        return Err(HERE_DOCUMENT);
    }
    match begun {
        Begun::Named => Ok(()),
        Begun::Nothing => Err("ends where another command begins"),
        Begun::Perhaps => Err("ends in a command whose name may expand to nothing"),
        Begun::Closed => Err("ends in a compound command"),
    }
}

impl Begun {
    fn with(self, word: &Word<'_>) -> Self {
        match self {
            Self::Named | Self::Closed => self,
            Self::Nothing if word.is_plain && OPENING.contains(&word.raw) => Self::Nothing,
            Self::Nothing if word.is_plain && CLOSING.contains(&word.raw) => Self::Closed,
            Self::Nothing if is_assignment(word.raw) => Self::Nothing,
            Self::Nothing | Self::Perhaps if word.is_firm => Self::Named,
            Self::Nothing | Self::Perhaps => Self::Perhaps,
        }
    }
}

/// `NAME=…`, which is no command.
fn is_assignment(word: &[u8]) -> bool {
    let length = word.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let (name, rest) = word.split_at(length);
    name.first().is_some_and(|first| !first.is_ascii_digit())
        && (rest.starts_with(b"=") || rest.starts_with(b"+="))
}

impl Document {
    /// The one that ends in a line with this word, without its quotes.
    fn behind(word: &Word<'_>, is_indented: bool) -> Self {
        let is_quote = |byte: &u8| matches!(byte, b'\'' | b'"' | b'\\');
        Self {
            end: word.raw.iter().copied().filter(|byte| !is_quote(byte)).collect(),
            is_quoted: word.raw.iter().any(is_quote),
            is_indented,
        }
    }
}

/// What has been opened and must be closed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nest {
    Double,
    Backtick,
    Parenthesis,
    /// `${…}`, in which a single quote is a quote only outside of double ones.
    Brace {
        is_in_double: bool,
    },
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Skips to the end of the line.
    fn skip_comment(&mut self) -> Result<(), &'static str> {
        self.skip_through(b'\n', "ends in a comment")?;
        // The line break has a meaning of its own.
        self.at -= 1;
        Ok(())
    }

    fn skip_through(&mut self, byte: u8, why_not: &'static str) -> Result<(), &'static str> {
        let length = self.rest().iter().position(|found| *found == byte).ok_or(why_not)?;
        self.at += length + 1;
        Ok(())
    }

    /// Skips the lines of a document and the one that ends it, behind which more must come.
    fn skip_document(&mut self, document: &Document) -> Result<(), &'static str> {
        let mut is_joined = false;
        loop {
            let start = self.at;
            self.skip_through(b'\n', HERE_DOCUMENT)?;
            let line = &self.bytes[start..self.at - 1];
            let tabs = line.iter().take_while(|b| document.is_indented && **b == b'\t').count();
            if !is_joined && line[tabs..] == *document.end {
                return Ok(());
            }
            let backslashes = line.iter().rev().take_while(|b| **b == b'\\').count();
            is_joined = !document.is_quoted && backslashes % 2 == 1;
        }
    }

    /// Skips the operator. Of those that bash alone knows it sees what another shell would.
    fn redirection(&mut self) -> Target {
        let operators: [&[u8]; 9] =
            [b"<<<", b"<<-", b"<<", b"<&", b"<>", b">>", b">&", b">|", b"<"];
        let rest = self.rest();
        let operator = operators.into_iter().find(|it| rest.starts_with(it)).unwrap_or(b">");
        self.at += operator.len();
        match operator {
            b"<<" => Target::Document { is_indented: false },
            b"<<-" => Target::Document { is_indented: true },
            _ => Target::File,
        }
    }

    fn word(&mut self) -> Result<Word<'a>, &'static str> {
        let start = self.at;
        let (mut is_firm, mut is_plain) = (false, true);
        while let Some(byte) = self.peek() {
            let next = self.rest().get(1).copied();
            match (byte, next) {
                (b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>', _) => break,
                (b'\\', None) => return Err("ends in a backslash"),
                (b'\\', Some(b'\n')) => {
                    self.at += 2;
                    continue;
                }
                (b'\\', Some(_)) => {
                    self.at += 2;
                    (is_firm, is_plain) = (true, false);
                }
                (b'\'', _) => {
                    self.at += 1;
                    self.skip_through(b'\'', OPEN_QUOTE)?;
                    (is_firm, is_plain) = (true, false);
                }
                (b'"', _) => {
                    let from = self.at;
                    self.skip_nested(Nest::Double, 1)?;
                    // The one quoted word that may be none.
                    is_firm |= self.bytes[from..self.at] != *b"\"$@\"";
                    is_plain = false;
                }
                (b'`', _) => {
                    self.skip_nested(Nest::Backtick, 1)?;
                    is_plain = false;
                }
                (b'$', Some(b'(')) => {
                    self.skip_nested(Nest::Parenthesis, 2)?;
                    is_plain = false;
                }
                (b'$', Some(b'{')) => {
                    self.skip_nested(Nest::Brace { is_in_double: false }, 2)?;
                    is_plain = false;
                }
                (b'$', Some(next)) if next.is_ascii_alphabetic() || next == b'_' => {
                    self.at += 1;
                    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                    while self.peek().is_some_and(is_of_name) {
                        self.at += 1;
                    }
                    is_plain = false;
                }
                (b'$', Some(b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' | b'0'..=b'9')) => {
                    self.at += 2;
                    is_plain = false;
                }
                (_, _) => {
                    self.at += 1;
                    is_firm = true;
                }
            }
        }
        Ok(Word { raw: &self.bytes[start..self.at], is_firm, is_plain })
    }

    /// Skips what begins with `length` bytes here and all that is nested in it. It calls itself for nothing: a text may be
    /// nested as deep as it is long.
    fn skip_nested(&mut self, first: Nest, length: usize) -> Result<(), &'static str> {
        let mut open = vec![first];
        self.at += length;
        while let Some(&inner) = open.last() {
            let byte = self.peek().ok_or(OPEN_QUOTE)?;
            let rest = self.rest();
            let is_quote = matches!(inner, Nest::Parenthesis | Nest::Brace { is_in_double: false });
            let is_word_start = self.at > 0
                && matches!(self.bytes[self.at - 1], b' ' | b'\t' | b'\n' | b';' | b'(');
            let (opened, length) = match (byte, inner) {
                (b'\\', _) => (None, 2),
                (b'`', Nest::Backtick)
                | (b'"', Nest::Double)
                | (b')', Nest::Parenthesis)
                | (b'}', Nest::Brace { .. }) => {
                    open.pop();
                    (None, 1)
                }
                (_, Nest::Backtick) => (None, 1),
                (b'\'', _) if is_quote => {
                    self.at += 1;
                    self.skip_through(b'\'', OPEN_QUOTE)?;
                    (None, 0)
                }
                (b'#', Nest::Parenthesis) if is_word_start => {
                    self.skip_through(b'\n', OPEN_QUOTE)?;
                    (None, 0)
                }
                (b'"', _) => (Some(Nest::Double), 1),
                (b'`', _) => (Some(Nest::Backtick), 1),
                (b'$', _) if rest.starts_with(b"$(") => (Some(Nest::Parenthesis), 2),
                (b'$', _) if rest.starts_with(b"${") => {
                    let is_in_double = !is_quote;
                    (Some(Nest::Brace { is_in_double }), 2)
                }
                (b'(', Nest::Parenthesis) => (Some(Nest::Parenthesis), 1),
                (_, _) => (None, 1),
            };
            open.extend(opened);
            self.at += length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_reach_the_last_command_of_an_ordinary_text() {
        for text in [
            "tar -c",
            "echo a; echo b",
            "cd /srv && exec ./run --fast",
            "set -e\ncd /srv\n./run\n",
            "./run # not the end\n./again",
            "LANG=C sort <in >out 2>&1",
            "2>/dev/null ls",
            "echo done",
            "echo '# no comment'",
            "echo \"it's; fine &\"",
            "echo a\\;",
            "echo a#b",
            "echo ${x#y} $((1 << 2)) $(echo ')') `date`",
            "\"$RUNNER\"",
            "$JAVA_HOME/bin/java -jar",
            "$SUDO ./run",
            "if true; then echo a; fi; echo b",
            "f() { echo \"$1\"; }\nf",
            "case $x in (a) echo 1;; b) echo 2;; esac\n./run",
            "cat <<EOF >file\nit's a text;\nEOF\n./run",
            "cat <<-'END' | sort\n\ta\n\tEND\n./run",
            "while read x; do echo $x; done < in | sort",
            "echo \"$(echo \"a)\" # a comment )\n)\"",
            "echo \"${x:-it's}\"",
            "a \\\n  b",
            "! grep x",
        ] {
            assert_eq!(takes_arguments(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_follows_another_end_is_no_argument() {
        for (text, ends) in [
            ("", "where another command begins"),
            ("echo a;", "where another command begins"),
            ("echo a; \n", "where another command begins"),
            ("echo a &", "where another command begins"),
            ("cd /srv &&", "where another command begins"),
            ("cd /srv ||", "where another command begins"),
            ("echo a |", "where another command begins"),
            ("(", "where another command begins"),
            ("if", "where another command begins"),
            ("true; !", "where another command begins"),
            ("while true; do", "where another command begins"),
            ("LANG=C", "where another command begins"),
            ("PATH+=:/x", "where another command begins"),
            (">out", "where another command begins"),
            ("2>/dev/null", "where another command begins"),
            ("echo a &>out", "where another command begins"),
            ("echo a\n# b\nA=1", "where another command begins"),
            ("$RUNNER", "expand to nothing"),
            ("${RUNNER} $X", "expand to nothing"),
            ("`which run`", "expand to nothing"),
            ("$(which run)", "expand to nothing"),
            ("\"$@\"", "expand to nothing"),
            ("echo a # b", "comment"),
            ("# b", "comment"),
            ("echo a\n# b", "comment"),
            ("cat <<EOF\na\nEOF", "here-document"),
            ("cat <<EOF\na\nEOF\n", "here-document"),
            ("cat <<EOF", "here-document"),
            ("cat <<EOF\na\n EOF\nls", "here-document"),
            ("cat <<EOF\na\\\nEOF\nls", "here-document"),
            ("if true; then echo a; fi", "compound"),
            ("for x in a b; do echo $x; done", "compound"),
            ("for x in a b; do echo $x; done <in", "compound"),
            ("case x in x) echo a;; esac", "compound"),
            ("{ echo a; }", "compound"),
            ("(echo a)", "compound"),
            ("f()", "compound"),
            ("echo 'a", "quotes"),
            ("echo \"a", "quotes"),
            ("echo $(a", "quotes"),
            ("echo ${a", "quotes"),
            ("echo `a", "quotes"),
            ("echo $(a # )", "quotes"),
            ("echo a\\", "backslash"),
            ("echo >", "redirection"),
            ("cat <", "redirection"),
            ("cat <<", "redirection"),
            ("echo a >&", "redirection"),
        ] {
            let why = takes_arguments(text).expect_err(text);
            assert!(why.contains(ends), "{text}: {why}");
        }
    }

    /// The shell itself is asked: where arguments are taken, they are never run.
    #[test]
    fn the_shell_runs_no_argument_where_they_are_taken() {
        let starts =
            ["true", "A=1", ">/dev/null", "$X", "true a", "(true)", "{ true; }", "$(true)"];
        let ends =
            ["", ";", " &", " &&", " ||", " |", " # x", "\n", "\n#", " \\", " <<E\nE", " A=1"];
        for text in
            starts.iter().flat_map(|start| ends.iter().map(move |end| format!("{start}{end}")))
        {
            if takes_arguments(&text).is_err() {
                continue;
            }
            let line = format!("{} \"$@\"", text.trim_end());
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &line, "sh", "echo", "run"])
                .output()
                .unwrap();
            assert!(output.stdout.is_empty(), "{text}: {output:?}");
        }
    }

    #[test]
    fn a_text_may_be_nested_as_deep_as_it_is_long() {
        let deep = format!("echo {}{}", "\"$(".repeat(50_000), ")\"".repeat(50_000));
        assert_eq!(takes_arguments(&deep), Ok(()));
        assert!(takes_arguments(&"$(".repeat(50_000)).is_err());
    }
}
