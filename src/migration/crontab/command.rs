//! A line's command as text for our shell, and back.
//!
//! Cron hands its command to `SHELL -c`, in the home of the user, with what follows the first `%` on its standard input.
//! A job's command is given to `/bin/sh -c` in a directory of its own. So the text of a job begins with `cd`, another
//! shell is named in it, and input is a here-document. The way back reads exactly what is written here.

use super::table::Split;

/// The shell of cron's lines, unless a table says otherwise; ours too.
pub(super) const SHELL: &str = "/bin/sh";

/// Where cron finds programs, unless a table says otherwise.
pub(super) const PATH: &str = "/usr/bin:/bin";

/// The first line of every text: to the home of the user, or nothing is run, as with cron.
const HOME: &str = "cd || exit";

/// What ends a here-document, unless it stands in it.
const MARK: &str = "EOF";

/// What a job's text says that was written for a line of cron.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// Which shell is given the command.
    pub shell: String,
    /// The command, and what it reads.
    pub split: Split,
}

/// The text of a job.
pub(super) fn text(shell: &str, split: &Split) -> String {
    let Split { command, input } = split;
    if shell == SHELL && input.is_none() {
        return format!("{HOME}\n{command}");
    }
    let run = format!("{HOME}\nexec {} -c {}", quote(shell), quote(command));
    match input.as_deref() {
        None => run,
        Some("") => format!("{run} </dev/null"),
        Some(input) => {
            let mut mark = MARK.to_owned();
            while input.lines().any(|line| line == mark) {
                mark.push('_');
            }
            format!("{run} <<'{mark}'\n{input}{mark}")
        }
    }
}

/// The line's command behind a job's text; `None` of texts that were not written for one.
#[must_use]
pub fn plain_command(text: &str) -> Option<Plain> {
    let rest = text.strip_prefix(HOME)?.strip_prefix('\n')?;
    if let Some(found) = wrapped(rest)
        && self::text(&found.shell, &found.split) == text
    {
        return Some(found);
    }
    (!rest.contains('\n')).then(|| Plain {
        shell: SHELL.to_owned(),
        split: Split { command: rest.to_owned(), input: None },
    })
}

/// `exec SHELL -c COMMAND`, with or without input.
fn wrapped(text: &str) -> Option<Plain> {
    let rest = text.strip_prefix("exec ")?;
    let (shell, rest) = unquote(rest)?;
    let (command, rest) = unquote(rest.strip_prefix(" -c ")?)?;
    let input = match rest {
        "" => None,
        " </dev/null" => Some(String::new()),
        rest => {
            let (mark, body) = rest.strip_prefix(" <<'")?.split_once("'\n")?;
            Some(body.strip_suffix(mark)?.to_owned())
        }
    };
    Some(Plain { shell, split: Split { command, input } })
}

/// As one word of the shell.
pub(super) fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The word at the beginning that [`quote`] has written, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('\'') else {
        let end = text.find([' ', '\n']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut word = String::new();
    loop {
        let (inside, after) = rest.split_once('\'')?;
        word.push_str(inside);
        match after.strip_prefix(r"\''") {
            Some(next) => {
                word.push('\'');
                rest = next;
            }
            None => return Some((word, after)),
        }
    }
}
