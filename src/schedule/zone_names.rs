//! Which zone name was meant, when it is not one.
//!
//! Abbreviations are refused even where the database has them, because Java, and so Chronos, gives them other meanings
//! (`EST` is New York there, with summer time, and Panama in the database) and some mean several things to people
//! (`BST` was Bangladesh in Chronos). An offset in place of a name is refused because its sign is written the other way
//! round in the database. DIFFERENCE: Chronos takes any unknown name for GMT, in silence.

/// What an abbreviation meant to Chronos, and what else people mean by it.
const ABBREVIATIONS: &[(&str, &str, &str)] = &[
    ("ACT", "Australia/Darwin", ""),
    ("AET", "Australia/Sydney", ""),
    ("AGT", "America/Argentina/Buenos_Aires", ""),
    ("ART", "Africa/Cairo", ""),
    ("AST", "America/Anchorage", "America/Halifax"),
    ("BET", "America/Sao_Paulo", ""),
    ("BST", "Asia/Dhaka", "Europe/London"),
    ("CAT", "Africa/Harare", ""),
    ("CNT", "America/St_Johns", ""),
    ("CST", "America/Chicago", "Asia/Shanghai"),
    ("CTT", "Asia/Shanghai", ""),
    ("EAT", "Africa/Addis_Ababa", ""),
    ("ECT", "Europe/Paris", ""),
    ("EST", "America/New_York", ""),
    ("HST", "Pacific/Honolulu", ""),
    ("IET", "America/Indiana/Indianapolis", ""),
    ("IST", "Asia/Kolkata", "Europe/Dublin"),
    ("JST", "Asia/Tokyo", ""),
    ("MIT", "Pacific/Apia", ""),
    ("MST", "America/Denver", "America/Phoenix"),
    ("NET", "Asia/Yerevan", ""),
    ("NST", "Pacific/Auckland", "America/St_Johns"),
    ("PLT", "Asia/Karachi", ""),
    ("PNT", "America/Phoenix", ""),
    ("PRT", "America/Puerto_Rico", ""),
    ("PST", "America/Los_Angeles", ""),
    ("SST", "Pacific/Guadalcanal", ""),
    ("VST", "Asia/Ho_Chi_Minh", ""),
];

/// Abbreviations that Chronos took for GMT, and what was meant.
const MEANT: &[(&str, &str)] = &[
    ("AEDT", "Australia/Sydney"),
    ("AEST", "Australia/Sydney"),
    ("AKDT", "America/Anchorage"),
    ("AKST", "America/Anchorage"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Paris"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Athens"),
    ("MDT", "America/Denver"),
    ("MSK", "Europe/Moscow"),
    ("NZDT", "Pacific/Auckland"),
    ("NZST", "Pacific/Auckland"),
    ("PDT", "America/Los_Angeles"),
    ("SGT", "Asia/Singapore"),
    ("WEST", "Europe/Lisbon"),
    ("Z", "UTC"),
];

/// How many suggestions one message makes.
const SUGGESTIONS_MAX: usize = 3;
/// Bytes of a name worth comparing with others; the longest real one has 32.
const COMPARED_BYTES_MAX: usize = 64;

/// The zone that Chronos took this name for, if that is not the zone of this name: for imports.
///
/// Anything that it did not know was GMT to it, which is `None` here, since the caller has to say so.
#[must_use]
pub fn chronos_meaning(name: &str) -> Option<String> {
    let known = ABBREVIATIONS.iter().find(|(short, _, _)| *short == name);
    if let Some((_, zone, _)) = known {
        return Some((*zone).to_owned());
    }
    name.starts_with("GMT").then(|| offset_zone(name)).flatten()
}

/// Why this name is refused whatever the database has.
pub(super) fn refusal(name: &str) -> Option<impl FnOnce(&str) -> String> {
    let upper = name.to_ascii_uppercase();
    let (_, zone, other) = ABBREVIATIONS.iter().find(|(short, _, _)| *short == upper)?;
    Some(move |found: &str| {
        let or = if other.is_empty() { String::new() } else { format!(" or `{other}`") };
        format!(
            "time zone {found} is an abbreviation that means different things to different programs: \
             write a full name such as `{zone}`{or}"
        )
    })
}

/// What to write instead of a name that the database does not have.
pub(super) fn remedy<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    if let Some((_, zone)) = MEANT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)) {
        return format!("write `{zone}`");
    }
    if is_offset(name) {
        return match offset_zone(name).as_deref() {
            Some("UTC") => "write `UTC`".to_owned(),
            Some(zone) => format!(
                "write the name of a place, such as `Europe/Paris`, or `{zone}` \
                 (in these names the sign is the other way round)"
            ),
            None => "write the name of a place, such as `Asia/Kolkata`".to_owned(),
        };
    }
    let near = near_matches(name, names);
    match near.as_slice() {
        [] => "expected a name such as `Europe/Berlin`, or nothing".to_owned(),
        [only] => format!("write `{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {} or `{last}`?", first.join(", "))
        }
    }
}

/// The part after `GMT` or `UTC`, if the name is that or an offset alone.
fn offset_part(name: &str) -> &str {
    name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")).unwrap_or(name)
}

fn is_offset(name: &str) -> bool {
    let digits = offset_part(name).strip_prefix(['+', '-']);
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
    })
}

/// The zone in the database for an offset of whole hours.
fn offset_zone(name: &str) -> Option<String> {
    if !is_offset(name) {
        return None;
    }
    let (sign, digits) = offset_part(name).split_at(1);
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, ""),
    };
    let hours: u8 = hours.parse().ok()?;
    if !minutes.bytes().all(|byte| byte == b'0') {
        return None;
    }
    match (sign, hours) {
        (_, 0) => Some("UTC".to_owned()),
        ("+", 1..=14) => Some(format!("Etc/GMT-{hours}")),
        ("-", 1..=12) => Some(format!("Etc/GMT+{hours}")),
        (_, _) => None,
    }
}

/// Names that are the same but for case or blanks; else those that end in this one; else those a few letters away.
fn near_matches<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    if name.len() > COMPARED_BYTES_MAX {
        return Vec::new();
    }
    let wanted = fold(name);
    let mut ranked: Vec<(usize, &str)> = names
        .filter_map(|candidate| {
            let folded = fold(candidate);
            if folded == wanted {
                return Some((0, candidate));
            }
            let place = folded.rsplit('/').next().unwrap_or(&folded);
            if place == wanted {
                return Some((1, candidate));
            }
            let allowed = wanted.chars().count() / 4;
            let distance = distance(&wanted, &folded).min(distance(&wanted, place));
            (distance <= allowed.min(3)).then_some((1 + distance, candidate))
        })
        .collect();
    ranked.sort_unstable();
    let best = ranked.first().map_or(0, |(rank, _)| *rank);
    ranked.retain(|(rank, _)| *rank == best);
    ranked.truncate(SUGGESTIONS_MAX);
    ranked.into_iter().map(|(_, candidate)| candidate).collect()
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Letters to insert, remove or replace to make one of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::zone::ZoneDb;
    use super::*;

    fn check(names: &[&str], expected: &Expect) {
        let zones = ZoneDb::bundled();
        let lines = names.iter().map(|name| match zones.get(name) {
            Ok(zone) => format!("{} is known\n", zone.name()),
            Err(error) => format!("{error}\n"),
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn names_of_the_database_are_known_links_too() {
        check(
            &["Europe/Berlin", "US/Eastern", "UTC", "Etc/GMT-2", "GMT", "CET", "Antarctica/Troll"],
            &expect![[r#"
                Europe/Berlin is known
                US/Eastern is known
                UTC is known
                Etc/GMT-2 is known
                GMT is known
                CET is known
                Antarctica/Troll is known
            "#]],
        );
    }

    #[test]
    fn abbreviations_and_offsets_are_refused_with_the_name_to_use() {
        check(
            &[
                "EST",
                "MST",
                "HST",
                "PST",
                "CST",
                "EDT",
                "BST",
                "IST",
                "est",
                "GMT+2",
                "GMT+02:00",
                "UTC+2",
                "+02:00",
                "-0800",
                "+05:30",
                "UTC+0",
                "GMT+99",
                "Z",
            ],
            &expect![[r#"
                time zone `EST` is an abbreviation that means different things to different programs: write a full name such as `America/New_York`
                time zone `MST` is an abbreviation that means different things to different programs: write a full name such as `America/Denver` or `America/Phoenix`
                time zone `HST` is an abbreviation that means different things to different programs: write a full name such as `Pacific/Honolulu`
                time zone `PST` is an abbreviation that means different things to different programs: write a full name such as `America/Los_Angeles`
                time zone `CST` is an abbreviation that means different things to different programs: write a full name such as `America/Chicago` or `Asia/Shanghai`
                unknown time zone `EDT`: write `America/New_York`
                time zone `BST` is an abbreviation that means different things to different programs: write a full name such as `Asia/Dhaka` or `Europe/London`
                time zone `IST` is an abbreviation that means different things to different programs: write a full name such as `Asia/Kolkata` or `Europe/Dublin`
                time zone `est` is an abbreviation that means different things to different programs: write a full name such as `America/New_York`
                unknown time zone `GMT+2`: write the name of a place, such as `Europe/Paris`, or `Etc/GMT-2` (in these names the sign is the other way round)
                unknown time zone `GMT+02:00`: write the name of a place, such as `Europe/Paris`, or `Etc/GMT-2` (in these names the sign is the other way round)
                unknown time zone `UTC+2`: write the name of a place, such as `Europe/Paris`, or `Etc/GMT-2` (in these names the sign is the other way round)
                unknown time zone `+02:00`: write the name of a place, such as `Europe/Paris`, or `Etc/GMT-2` (in these names the sign is the other way round)
                unknown time zone `-0800`: write the name of a place, such as `Europe/Paris`, or `Etc/GMT+8` (in these names the sign is the other way round)
                unknown time zone `+05:30`: write the name of a place, such as `Asia/Kolkata`
                unknown time zone `UTC+0`: write `UTC`
                unknown time zone `GMT+99`: write the name of a place, such as `Asia/Kolkata`
                unknown time zone `Z`: write `UTC`
            "#]],
        );
    }

    #[test]
    fn misspelt_names_are_refused_with_the_right_spelling() {
        check(
            &[
                "europe/paris",
                "Europe/Berln",
                "Berlin",
                "New York",
                "america/new york",
                "Eurpoe/Paris",
                "null",
                "Mars/Olympus",
                "Ünknown",
                "a\u{0}b",
            ],
            &expect![[r#"
                unknown time zone `europe/paris`: write `Europe/Paris`
                unknown time zone `Europe/Berln`: write `Europe/Berlin`
                unknown time zone `Berlin`: write `Europe/Berlin`
                unknown time zone `New York`: write `America/New_York`
                unknown time zone `america/new york`: write `America/New_York`
                unknown time zone `Eurpoe/Paris`: write `Europe/Paris`
                unknown time zone `null`: expected a name such as `Europe/Berlin`, or nothing
                unknown time zone `Mars/Olympus`: expected a name such as `Europe/Berlin`, or nothing
                unknown time zone `Ünknown`: expected a name such as `Europe/Berlin`, or nothing
                unknown time zone `a\0b`: expected a name such as `Europe/Berlin`, or nothing
            "#]],
        );
    }

    #[test]
    fn import_knows_what_chronos_took_a_name_for() {
        let meanings = ["PST", "BST", "GMT+2", "GMT-11:00", "UTC+2", "Europe/Paris", "EDT"];
        assert_eq!(
            meanings.map(chronos_meaning).map(Option::unwrap_or_default),
            ["America/Los_Angeles", "Asia/Dhaka", "Etc/GMT-2", "Etc/GMT+11", "", "", ""]
        );
    }
}
