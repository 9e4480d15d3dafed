//! Lines that start `run-parts`: a directory of scripts, one after the other.

use super::name::tame;

/// Scripts of a directory, as `run-parts` finds them, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its path on the machine that runs it.
    pub path: String,
    /// File names that can be executed, whatever they are called.
    pub scripts: Vec<String>,
}

/// A line that does nothing but run the parts of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunParts<'t> {
    /// Where it is done.
    pub(super) from: Option<&'t str>,
    pub(super) directory: &'t str,
    /// Whether nothing is done where anacron is installed, which does it then.
    pub(super) leaves_it_to_anacron: bool,
}

/// Takes a command apart that Debian and its packages write: `cd / && run-parts --report DIR`, on its own or after a test
/// for anacron. `None` of every other one.
pub(super) fn read(command: &str) -> Option<RunParts<'_>> {
    let command = command.trim();
    let (inner, leaves_it_to_anacron) = match command.strip_prefix("test -x /usr/sbin/anacron ||") {
        None => (command, false),
        Some(rest) => {
            let rest = rest.trim();
            let braces = rest.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
            let group = braces.or_else(|| rest.strip_prefix('(')?.strip_suffix(')'))?;
            (group.trim().trim_end_matches(';').trim_end(), true)
        }
    };
    let (from, run) = match inner.strip_prefix("cd ") {
        None => (None, inner),
        Some(rest) => {
            let (from, run) = rest.split_once("&&")?;
            (Some(from.trim()), run.trim())
        }
    };
    let mut words = run.split_whitespace();
    let is_run_parts =
        words.next().is_some_and(|it| it == "run-parts" || it.ends_with("/run-parts"));
    let rest: Vec<&str> = words.filter(|word| *word != "--report").collect();
    let is_path =
        |path: &str| path.starts_with('/') && path.trim_end_matches('/') == path && is_plain(path);
    match (is_run_parts, &rest[..]) {
        (true, [directory]) if is_path(directory) && from.is_none_or(is_plain) => {
            Some(RunParts { from, directory, leaves_it_to_anacron })
        }
        _ => None,
    }
}

fn is_plain(path: &str) -> bool {
    path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'))
}

impl Directory {
    /// Those that it runs, in its order: names of letters, digits, `_` and `-` alone.
    pub(super) fn run(&self) -> Vec<&str> {
        let is_run = |name: &&str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        };
        let mut scripts: Vec<&str> =
            self.scripts.iter().map(String::as_str).filter(is_run).collect();
        scripts.sort_unstable();
        scripts
    }

    /// The last part of its path, for names of jobs.
    pub(super) fn word(&self) -> String {
        tame(self.path.rsplit('/').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_debian_writes_is_known() {
        let daily = "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }";
        let found = read(daily).unwrap();
        assert_eq!((found.from, found.directory), (Some("/"), "/etc/cron.daily"));
        assert!(found.leaves_it_to_anacron);
        let found =
            read("test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.weekly )")
                .unwrap();
        assert_eq!(found.directory, "/etc/cron.weekly");
        let found = read("cd / && run-parts --report /etc/cron.hourly").unwrap();
        assert!(!found.leaves_it_to_anacron);
        assert_eq!(read("run-parts /opt/x").unwrap().from, None);
        for other in [
            "run-parts --regex=x /opt/x",
            "run-parts /opt/x && echo done",
            "run-parts /opt/x; true",
            "/opt/run-parts.sh /opt/x",
            "run-parts $DIR",
            "run-parts",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn names_with_dots_are_left_out_as_there() {
        let scripts = ["logrotate", ".placeholder", "a.sh", "0anacron", "man-db", "x.dpkg-old"];
        let directory = Directory {
            path: "/etc/cron.daily".to_owned(),
            scripts: scripts.map(str::to_owned).to_vec(),
        };
        assert_eq!(directory.run(), ["0anacron", "logrotate", "man-db"]);
        assert_eq!(directory.word(), "cron.daily");
    }
}
