//! Reads a directory of compiled zone data. The only place in this module that touches files.
//!
//! Only files that begin as compiled zone data do are taken, under the path that names them. What is the machine's own
//! zone (`localtime`), a copy with other rules (`right`, which counts leap seconds) or the same again (`posix`) is not.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// What stands for a version that nobody wrote down. Compares as older than any.
pub(super) const VERSION_UNKNOWN: &str = "unknown";

/// Bytes of a zone file; the largest of today has 4 kB. More is no zone file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Directories within directories; `America/Argentina/Salta` needs two.
const DEPTH_MAX: u8 = 3;
const NOT_ZONES: [&str; 5] = ["posix", "right", "localtime", "posixrules", "Factory"];

/// A directory's content.
pub(super) struct ZoneFiles {
    pub(super) version: String,
    pub(super) zones: BTreeMap<String, Vec<u8>>,
}

/// Reads all zones of a directory. The error is a sentence that names the directory; having no zone is one.
pub(super) fn read_dir(root: &Path) -> io::Result<ZoneFiles> {
    let version = read_version(root).unwrap_or_else(|| VERSION_UNKNOWN.to_owned());
    let mut zones = BTreeMap::new();
    collect(root, "", DEPTH_MAX, &mut zones).map_err(|error| {
        let sentence = format!("the zone data in `{}` cannot be read: {error}", root.display());
        io::Error::new(error.kind(), sentence)
    })?;
    if zones.is_empty() {
        let sentence = format!(
            "there is no zone data in `{}`: expected compiled files such as `Europe/Berlin`",
            root.display()
        );
        return Err(io::Error::new(io::ErrorKind::NotFound, sentence));
    }
    Ok(ZoneFiles { version, zones })
}

/// The version in the first line of `tzdata.zi`, such as `# version 2026f`.
pub(super) fn read_version(root: &Path) -> Option<String> {
    let mut head = Vec::new();
    fs::File::open(root.join("tzdata.zi")).ok()?.take(100).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let version = head.lines().next()?.strip_prefix("# version ")?.trim();
    is_version(version).then(|| version.to_owned())
}

/// Whether it is a year and letters, which compare in the order of their release.
fn is_version(text: &str) -> bool {
    let (year, letters) = text.split_at_checked(4).unwrap_or_default();
    year.bytes().all(|byte| byte.is_ascii_digit())
        && !letters.is_empty()
        && letters.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn collect(
    directory: &Path,
    prefix: &str,
    depth: u8,
    zones: &mut BTreeMap<String, Vec<u8>>,
) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        if NOT_ZONES.contains(&file_name.as_str()) {
            continue;
        }
        let path = entry.path();
        // Follows links: hosts make one of `UTC`, for instance. One that leads nowhere is not a zone.
        let Ok(kind) = fs::metadata(&path) else { continue };
        let name = format!("{prefix}{file_name}");
        if kind.is_dir() && depth > 1 {
            collect(&path, &format!("{name}/"), depth - 1, zones)?;
        } else if kind.is_file() && kind.len() <= FILE_BYTES_MAX {
            let data = fs::read(&path)?;
            if data.starts_with(b"TZif") {
                zones.insert(name, data);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_a_year_and_letters() {
        let good: Vec<_> =
            ["2026f", "2025b", "2026", "", "2026F", "f2026", "2026f-dirty", "née26a"]
                .into_iter()
                .filter(|text| is_version(text))
                .collect();
        assert_eq!(good, ["2026f", "2025b"]);
    }
}
