//! Numbers that a name decides: the values of `H`, and each occurrence's share of the jitter.
//!
//! The hash is written down here and never changes, because with it every schedule would: FNV-1a of 64 bits over the
//! bytes, then the finisher of MurmurHash3, so that near names are far apart in every bit.

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// The hash of a job's name.
#[must_use]
pub fn of_name(name: &str) -> u64 {
    finish(fnv(OFFSET_BASIS, name.as_bytes()))
}

/// The hash for `H` in a field: of the name, a zero byte, and the field's name.
pub(super) fn of_field(name: &str, field: &str) -> u64 {
    finish(fnv(fnv(fnv(OFFSET_BASIS, name.as_bytes()), &[0]), field.as_bytes()))
}

/// The hash of a number under a key.
#[must_use]
pub fn mix(key: u64, number: i64) -> u64 {
    finish(fnv(key, &number.to_be_bytes()))
}

/// A number below `end`, which is at least 1.
pub(super) fn below<N: TryFrom<u64> + Into<u64> + Copy>(hash: u64, end: N) -> N {
    let below = hash % end.into().max(1);
    N::try_from(below).unwrap_or(end)
}

fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

const fn finish(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: other values would move every job that uses `H` or jitter.
    #[test]
    fn hashes_never_change() {
        assert_eq!(fnv(OFFSET_BASIS, b"foobar"), 0x8594_4171_f739_67e8);
        let of = ["", "a", "nightly-report"].map(|name| of_field(name, "minute") % 60);
        let name = of_name("nightly-report");
        let mixed = [0, 1, 1_767_225_600_000].map(|due| mix(name, due) % 600_000);
        assert_eq!((of, mixed), ([11, 27, 59], [136_871, 553_230, 435_809]));
    }

    #[test]
    fn names_are_spread_evenly() {
        let mut counts = [0_u32; 60];
        for number in 0..6_000 {
            counts[usize::from(below(of_field(&format!("job-{number}"), "minute"), 60_u8))] += 1;
        }
        assert!(counts.iter().all(|count| (60..150).contains(count)), "{counts:?}");
    }
}
