//! Names of jobs that come from lines without one.

use std::collections::BTreeSet;

/// Bytes of the part that says what is run.
const WORD_BYTES_MAX: usize = 48;

/// Commands that say how something is run, not what.
const WRAPPERS: [&str; 12] = [
    "exec", "nice", "ionice", "nohup", "env", "sudo", "timeout", "flock", "chronic", "command",
    "time", "setsid",
];

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name for what stands in `source`, from what it runs, that nobody else has. The same tables give the same names.
    pub(super) fn give(&mut self, source: &[&str], command: &str) -> String {
        let mut parts: Vec<String> = source.iter().map(|part| tame(part)).collect();
        let word = tame(&word(command));
        // `e2scrub_all` of `/etc/cron.d/e2scrub_all` needs to be said once.
        if parts.last() != Some(&word) {
            parts.push(word);
        }
        let name = parts.join(".");
        let mut given = name.clone();
        for count in 2.. {
            if self.0.insert(given.clone()) {
                break;
            }
            given = format!("{name}-{count}");
        }
        given
    }
}

/// A text in characters that every door lets into a name.
pub(super) fn tame(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let tame: String = text.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    let cut = &tame[..tame.len().min(WORD_BYTES_MAX)];
    let cut = cut.trim_matches(['-', '.']);
    if cut.is_empty() { "line".to_owned() } else { cut.to_owned() }
}

/// What a command runs, in a word: the file name of its first program, of `run-parts` its directory.
fn word(command: &str) -> String {
    let split = shell_words::split(command);
    // Quotes that are open: cron runs it all the same, and the shell complains.
    let words = split.unwrap_or_else(|_| command.split_whitespace().map(str::to_owned).collect());
    let base =
        |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or(path).to_owned();
    let is_operator =
        |word: &str| matches!(word, "&&" | "||" | ";" | "|" | "{" | "}" | "(" | ")" | "&");
    let mut first = None;
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        let word = word.trim_matches(['(', ')', ';']);
        if word.is_empty() || is_operator(word) || word.starts_with('-') || is_assignment(word) {
            continue;
        }
        // What comes before a redirection has been said.
        if first.is_some()
            && word.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['<', '>'])
        {
            break;
        }
        if first.is_none() {
            first = Some(base(word));
        }
        match base(word).as_str() {
            "!" | "if" | "then" | "else" | "elif" | "while" | "do" => {}
            // Conditions, and where it happens: they go to the end of their command.
            "test" | "[" | "cd" | "sleep" | "set" | "." | "umask" | "export" => {
                while words
                    .next_if(|next| !is_operator(next.trim_start_matches(';')))
                    .is_some_and(|it| !it.ends_with(';'))
                {}
            }
            "run-parts" => {
                let directory = words.find(|next| !next.starts_with('-')).unwrap_or("run-parts");
                return base(directory.trim_end_matches([';', ')']));
            }
            wrapper if WRAPPERS.contains(&wrapper) => {
                // Their options and numbers; a path that follows is the lock of `flock`, or the program.
                while words
                    .next_if(|next| {
                        next.starts_with('-')
                            || next.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                    })
                    .is_some()
                {}
                if wrapper == "flock" {
                    words.next();
                }
            }
            program => return program.to_owned(),
        }
    }
    first.unwrap_or_else(|| "line".to_owned())
}

/// `NAME=value`.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_is_run() {
        for (command, expected) in [
            ("/usr/local/bin/backup.sh --full", "backup.sh"),
            ("cd / && run-parts --report /etc/cron.hourly", "cron.hourly"),
            (
                "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }",
                "cron.daily",
            ),
            (
                "test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.weekly )",
                "cron.weekly",
            ),
            (
                "[ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi",
                "sessionclean",
            ),
            ("LANG=C nice -n 19 ionice -c 3 /opt/x/report", "report"),
            ("flock -n /run/lock/a /opt/x/sync.sh", "sync.sh"),
            ("timeout 30 curl -s https://example.org/", "curl"),
            ("echo 'unbalanced", "echo"),
            ("/usr/bin/env -0 > /tmp/x; cat > /tmp/y", "env"),
            ("if ! test -e /x; then nice -n 10 /opt/y 2>&1; fi", "y"),
            ("cd /tmp", "cd"),
            ("", "line"),
        ] {
            assert_eq!(word(command), expected, "{command}");
        }
    }

    #[test]
    fn names_differ_and_are_the_same_every_time() {
        let mut names = Names::default();
        let mut give = |source: &[&str], command: &str| names.give(source, command);
        assert_eq!(give(&["web1", "e2scrub_all"], "/sbin/e2scrub_all"), "web1.e2scrub_all");
        assert_eq!(give(&["web1", "e2scrub_all"], "/sbin/e2scrub_all -r"), "web1.e2scrub_all-2");
        assert_eq!(give(&["root"], "/opt/größe.sh"), "root.gr--e.sh");
    }
}
