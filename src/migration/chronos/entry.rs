//! A node of Chronos' ZooKeeper: an entry of Mesos' state library, in the protobuf encoding, around the value.
//!
//! Three required fields, each preceded by its length: `name` = 1, `uuid` = 2, `value` = 3. The value is not compressed
//! (only Mesos' own log is).

/// What is in a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As the node is called, such as `J_nightly`.
    pub name: String,
    /// What Chronos stored: the JSON of a job.
    pub value: Vec<u8>,
}

/// Why bytes are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// They end within a field.
    #[error("it ends in the middle of a field")]
    Torn,
    /// A field has a number or a kind that protobuf does not have.
    #[error("it is no protobuf message")]
    NoProtobuf,
    /// A required field is not there.
    #[error("it lacks the field `{0}`")]
    Lacks(&'static str),
    /// The name is no UTF-8.
    #[error("its name is no text")]
    Name,
}

/// Reads the bytes of a node.
///
/// # Errors
///
/// [`EntryError`] for anything but one whole entry. Unknown fields are passed over, as protobuf does.
pub fn read_entry(bytes: &[u8]) -> Result<Entry, EntryError> {
    let mut rest = bytes;
    let (mut name, mut uuid, mut value) = (None, None, None);
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let (field, kind) = (key >> 3, key & 7);
        match (field, kind) {
            (0, _) => return Err(EntryError::NoProtobuf),
            (_, 0) => drop(varint(&mut rest)?),
            (_, 1) => drop(take(&mut rest, 8)?),
            (_, 5) => drop(take(&mut rest, 4)?),
            (_, 2) => {
                let length = usize::try_from(varint(&mut rest)?).map_err(|_| EntryError::Torn)?;
                let bytes = take(&mut rest, length)?;
                match field {
                    1 => name = Some(bytes),
                    2 => uuid = Some(bytes),
                    3 => value = Some(bytes),
                    _ => {}
                }
            }
            _ => return Err(EntryError::NoProtobuf),
        }
    }
    uuid.ok_or(EntryError::Lacks("uuid"))?;
    let name = name.ok_or(EntryError::Lacks("name"))?;
    let name = std::str::from_utf8(name).map_err(|_| EntryError::Name)?;
    let value = value.ok_or(EntryError::Lacks("value"))?;
    Ok(Entry { name: name.to_owned(), value: value.to_vec() })
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Result<&'b [u8], EntryError> {
    let (taken, left) = rest.split_at_checked(length).ok_or(EntryError::Torn)?;
    *rest = left;
    Ok(taken)
}

/// Seven bits a byte, the lowest first, at most ten bytes.
fn varint(rest: &mut &[u8]) -> Result<u64, EntryError> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let byte = u64::from(take(rest, 1)?[0]);
        let bits = byte & 0x7f;
        if shift == 63 && bits > 1 {
            return Err(EntryError::NoProtobuf);
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(EntryError::NoProtobuf)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As protobuf writes it, by the book.
    fn encode(name: &str, uuid: &[u8], value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (field, content) in [(1_u8, name.as_bytes()), (2, uuid), (3, value)] {
            bytes.push(field << 3 | 2);
            let mut length = content.len();
            while length >= 0x80 {
                bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            bytes.push(u8::try_from(length).unwrap());
            bytes.extend_from_slice(content);
        }
        bytes
    }

    #[test]
    fn an_entry_is_read_whole_or_refused_with_the_reason() {
        let bytes = encode("J_a", &[7; 16], &vec![b'x'; 70_000]);
        let entry = read_entry(&bytes).unwrap();
        assert_eq!((entry.name.as_str(), entry.value.len()), ("J_a", 70_000));
        for (bytes, expected) in [
            (&b""[..], EntryError::Lacks("uuid")),
            (b"\x12\x00\x1a\x00", EntryError::Lacks("name")),
            (b"\x12\x00\x0a\x01a", EntryError::Lacks("value")),
            (b"\x12\x00\x0a\x01\xff", EntryError::Name),
            (b"\x0a\x05ab", EntryError::Torn),
            (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", EntryError::Torn),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", EntryError::NoProtobuf),
            (b"\xff", EntryError::Torn),
            (b"\x0b", EntryError::NoProtobuf),
            (b"\x00\x00", EntryError::NoProtobuf),
            (b"{\"name\": \"a\"}", EntryError::NoProtobuf),
        ] {
            assert_eq!(read_entry(bytes), Err(expected), "{bytes:?}");
        }
        // What a later Mesos may add is passed over.
        let mut more = encode("J_a", &[7; 16], b"{}");
        more.extend_from_slice(
            b"\x20\x96\x01\x29\x00\x00\x00\x00\x00\x00\x00\x00\x35\x00\x00\x00\x00\x3a\x01z",
        );
        assert_eq!(read_entry(&more).unwrap().value, b"{}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in ".{0,40}", uuid in any::<[u8; 16]>(), value in any::<Vec<u8>>()) {
            let bytes = encode(&name, &uuid, &value);
            prop_assert_eq!(read_entry(&bytes), Ok(Entry { name, value }));
            for end in 0..bytes.len() {
                prop_assert!(read_entry(&bytes[..end]).is_err());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let _ = read_entry(&bytes);
        }
    }
}
