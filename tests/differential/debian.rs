//! Debian's own cron, unmodified, with a clock of ours.
//!
//! A shim that is loaded into the daemon (`clock_shim.c`) puts its clock forward instead of sleeping, gives it a table of
//! ours and writes down what it starts. It begins two days before a change of clock, so that it has a past when the
//! change comes, and ends two days after it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::expression::Expression;
use super::question::Random;
use super::shim;

/// Changes of clock that every run goes through: by an hour, half an hour, two hours, three, a day and a quarter of an
/// hour, forward and back, at midnight and a minute after it.
pub(crate) const CHANGES: [(&str, &str); 16] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2025-03-09T07:00:00Z"),
    ("America/New_York", "2025-11-02T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("America/St_Johns", "2011-03-13T03:31:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    ("Antarctica/Troll", "2026-10-25T01:00:00Z"),
    ("America/Havana", "2025-03-09T05:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("Antarctica/Casey", "2020-10-03T16:01:00Z"),
    ("Antarctica/Casey", "2021-03-13T13:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30:00Z"),
];

const DAEMON: &str = "/usr/sbin/cron";
/// What a user's table may have at most, and what a daemon of ours is given.
pub(crate) const LINES: usize = 150;
/// Starts of most lines; each costs a process.
const STARTS_MAX: usize = 24;
/// Lines that start more often, and how often at most.
const BUSY: usize = 4;
const BUSY_STARTS_MAX: usize = 400;
const TWO_DAYS: i64 = 2 * 86_400;

/// A stretch of time around a change of clock, and the lines of a table.
pub(crate) struct Stretch {
    pub(crate) zone: &'static str,
    pub(crate) begin: i64,
    pub(crate) end: i64,
    pub(crate) lines: Vec<Expression>,
}

impl Stretch {
    /// Draws lines until there are enough that start in this stretch, and not too often.
    pub(crate) fn new(
        seed: u64,
        zone: &'static str,
        change: i64,
        starts: impl Fn(&Stretch, &Expression) -> usize,
    ) -> Self {
        let begin = (change - TWO_DAYS).div_euclid(60) * 60;
        let mut stretch = Self { zone, begin, end: begin + 2 * TWO_DAYS, lines: Vec::new() };
        let mut random = Random::new(seed);
        let (mut idle, mut usual, mut busy) = (0, 0, 0);
        while stretch.lines.len() < LINES {
            let line = random.expression(25);
            let count = starts(&stretch, &line);
            let (kind, most) = match count {
                0 => (&mut idle, LINES / 5),
                1..=STARTS_MAX => (&mut usual, LINES),
                _ => (&mut busy, BUSY),
            };
            if count > BUSY_STARTS_MAX || *kind >= most {
                continue;
            }
            *kind += 1;
            stretch.lines.push(line);
        }
        stretch
    }
}

/// How often a line was started in which minute, in seconds since 1970.
pub(crate) type Starts = BTreeMap<i64, usize>;

/// What the daemon started of each line.
pub(crate) fn run(stretch: &Stretch, zone_file: &Path) -> Vec<Starts> {
    assert!(Path::new(DAEMON).exists(), "there is no {DAEMON}: run tests/run, which installs it");
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for folder in ["var/spool/cron/crontabs", "etc/cron.d", "var/run", "run"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("etc/crontab"), "").unwrap();
    let numbered = stretch.lines.iter().enumerate();
    let table: String = numbered.map(|(index, line)| format!("{line} {index}\n")).collect();
    let path = root.join("var/spool/cron/crontabs").join(user());
    fs::write(&path, table).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let log = root.join("log");
    let output = Command::new(DAEMON)
        .arg("-f")
        .env_clear()
        .env("TZ", format!(":{}", zone_file.display()))
        .env("LD_PRELOAD", shim::path())
        .env("SHIM_BEGIN", stretch.begin.to_string())
        .env("SHIM_END", stretch.end.to_string())
        .env("SHIM_ROOT", root)
        .env("SHIM_LOG", &log)
        .output()
        .unwrap();
    let log = fs::read_to_string(&log).unwrap_or_default();
    assert!(output.status.success(), "{DAEMON} ended with {output:?}, having said\n{log}");
    read(&log, stretch)
}

/// The daemon runs the tables of users that the machine knows; ours is the one who runs the test.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn read(log: &str, stretch: &Stretch) -> Vec<Starts> {
    let said: Vec<_> = log.lines().filter(|line| line.starts_with('!')).collect();
    let is_known = |line: &&str| line.contains(" INFO ");
    assert!(said.iter().all(is_known), "{DAEMON} says:\n{}", said.join("\n"));
    let mut started: BTreeMap<usize, Starts> = BTreeMap::new();
    for line in log.lines().filter(|line| !line.starts_with('!')) {
        let read = || {
            let (at, message) = line.split_once(' ')?;
            let command = message.split_once("CMD (")?.1.strip_suffix(')')?;
            Some((at.parse::<i64>().ok()?, command.parse().ok()?))
        };
        let (at, index) = read().unwrap_or_else(|| panic!("unexpected in the log: {line}"));
        let minute = at.div_euclid(60) * 60;
        *started.entry(index).or_default().entry(minute).or_default() += 1;
    }
    (0..stretch.lines.len()).map(|index| started.remove(&index).unwrap_or_default()).collect()
}
