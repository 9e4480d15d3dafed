//! RecordIO, the framing of a stream of events: the length in decimal digits, a line feed, that many bytes.
//!
//! The bytes may come in pieces of any size: a piece may hold several records, or a part of a length. The last record
//! has nothing behind it, so only the lengths say where a record ends.

use std::mem;

/// The longest record that is taken. An OFFERS with a thousand offers has about one MiB.
pub const RECORD_MAX: usize = 64 << 20;

/// The longest length that is taken, in digits: room for [`RECORD_MAX`] with zeros before it, as some write it.
const DIGITS_MAX: usize = 20;

/// Memory that is set aside for a record before its bytes are there: what a length promises is not believed.
const BYTES_AHEAD: usize = 64 << 10;

/// Why a stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Something else stands where the digits of a length belong.
    #[error(
        "invalid length of a record: byte {0:#04x} where a digit or the end of the line belongs"
    )]
    NotADigit(u8),
    /// A line without digits where a length belongs.
    #[error("invalid length of a record: the line is empty")]
    NoDigits,
    /// The line does not end.
    #[error("invalid length of a record: more than {DIGITS_MAX} digits")]
    LongLine,
    /// More than is taken.
    #[error("a record of {0} bytes is too long: at most {RECORD_MAX} are taken")]
    LongRecord(u128),
    /// The end in the middle of a length or a record.
    #[error("the stream ends in the middle of a record: {missing} bytes are missing")]
    CutOff {
        /// How many bytes of the record are missing; at least one if it is the length that is cut.
        missing: usize,
    },
}

/// Puts records together from pieces of a stream.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// Within a length: its digits so far.
    Length { value: u128, digits: usize },
    /// Within a record: its bytes so far, and how many it will have.
    Record { bytes: Vec<u8>, length: usize },
    /// Behind an error, where nothing can be told apart any longer.
    Broken(RecordError),
}

impl Default for Place {
    fn default() -> Self {
        Self::Length { value: 0, digits: 0 }
    }
}

impl Decoder {
    /// Takes the next piece, and adds the records that are complete with it to `records`.
    ///
    /// # Errors
    ///
    /// If the bytes are no RecordIO. The records before the error have been added; all later pieces meet the same error.
    pub fn push(
        &mut self,
        mut piece: &[u8],
        records: &mut Vec<Vec<u8>>,
    ) -> Result<(), RecordError> {
        loop {
            match &mut self.place {
                Place::Broken(error) => return Err(error.clone()),
                Place::Length { value, digits } => {
                    let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
                    piece = rest;
                    match length(*value, *digits, byte) {
                        Ok(Some(length)) => {
                            let bytes = Vec::with_capacity(length.min(BYTES_AHEAD));
                            self.place = Place::Record { bytes, length };
                        }
                        Ok(None) => {
                            *value = *value * 10 + u128::from(byte - b'0');
                            *digits += 1;
                        }
                        Err(error) => self.place = Place::Broken(error),
                    }
                }
                Place::Record { bytes, length } => {
                    let (taken, rest) = piece.split_at((*length - bytes.len()).min(piece.len()));
                    bytes.extend_from_slice(taken);
                    piece = rest;
                    if bytes.len() < *length {
                        return Ok(());
                    }
                    records.push(mem::take(bytes));
                    self.place = Place::default();
                }
            }
        }
    }

    /// Whether the stream may end here.
    ///
    /// # Errors
    ///
    /// If it is cut off, or was broken before.
    pub fn finish(&self) -> Result<(), RecordError> {
        match &self.place {
            Place::Length { value: _, digits: 0 } => Ok(()),
            Place::Length { value: _, digits: _ } => Err(RecordError::CutOff { missing: 1 }),
            Place::Record { bytes, length } => {
                Err(RecordError::CutOff { missing: length - bytes.len() })
            }
            Place::Broken(error) => Err(error.clone()),
        }
    }
}

/// What a further byte makes of a length: it is complete, or goes on.
fn length(value: u128, digits: usize, byte: u8) -> Result<Option<usize>, RecordError> {
    match byte {
        b'\n' if digits == 0 => Err(RecordError::NoDigits),
        b'\n' => match usize::try_from(value) {
            Ok(length) if length <= RECORD_MAX => Ok(Some(length)),
            Ok(_) | Err(_) => Err(RecordError::LongRecord(value)),
        },
        b'0'..=b'9' if digits == DIGITS_MAX => Err(RecordError::LongLine),
        b'0'..=b'9' => Ok(None),
        other => Err(RecordError::NotADigit(other)),
    }
}

/// A record as it stands in a stream.
#[must_use]
pub fn encode(record: &[u8]) -> Vec<u8> {
    let mut bytes = record.len().to_string().into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(record);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::mesos::wire::Event;

    const STREAM: &[u8] = include_bytes!("../../tests/mesos/traces/subscribe.recordio");

    /// The records of a stream that comes in these pieces.
    fn decoded<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<Vec<u8>>, Result<(), RecordError>) {
        let mut decoder = Decoder::default();
        let mut records = Vec::new();
        for piece in pieces {
            if let Err(error) = decoder.push(piece, &mut records) {
                return (records, Err(error));
            }
        }
        let end = decoder.finish();
        (records, end)
    }

    #[test]
    fn the_recorded_stream_reads_the_same_however_it_is_cut() {
        let (whole, end) = decoded([STREAM]);
        assert_eq!((whole.len(), end), (9, Ok(())));
        for record in &whole {
            serde_json::from_slice::<Event>(record).unwrap();
        }
        assert_eq!(whole.iter().flat_map(|record| encode(record)).collect::<Vec<_>>(), STREAM);
        for at in 0..=STREAM.len() {
            let (head, tail) = STREAM.split_at(at);
            assert_eq!(decoded([head, tail]), (whole.clone(), Ok(())), "cut at {at}");
        }
        assert_eq!(decoded(STREAM.chunks(1)), (whole, Ok(())));
    }

    #[test]
    fn an_end_within_a_record_is_told() {
        let mut boundaries = vec![0];
        for record in decoded([STREAM]).0 {
            boundaries.push(boundaries.last().unwrap() + encode(&record).len());
        }
        for at in 0..=STREAM.len() {
            let (records, end) = decoded([&STREAM[..at]]);
            let complete = boundaries.iter().filter(|end| **end <= at).count() - 1;
            assert_eq!(records.len(), complete, "{at}");
            assert_eq!(end.is_ok(), boundaries.contains(&at), "{at}");
        }
        let (_, end) = decoded([&b"12\nabc"[..]]);
        assert_eq!(end, Err(RecordError::CutOff { missing: 9 }));
        assert_eq!(decoded([&b"12"[..]]).1, Err(RecordError::CutOff { missing: 1 }));
    }

    #[test]
    fn hostile_lengths_are_refused_and_nothing_is_set_aside_for_them() {
        let refused = |text: &[u8]| decoded([text]).1.unwrap_err();
        assert_eq!(refused(b"\n"), RecordError::NoDigits);
        assert_eq!(refused(b"-5\nabc"), RecordError::NotADigit(b'-'));
        assert_eq!(refused(b"5 \nabcde"), RecordError::NotADigit(b' '));
        assert_eq!(refused(b"5\r\nabcde"), RecordError::NotADigit(b'\r'));
        assert_eq!(refused(b"<html>"), RecordError::NotADigit(b'<'));
        assert_eq!(refused(b"67108865\n"), RecordError::LongRecord(67_108_865));
        assert_eq!(
            refused(b"99999999999999999999\n"),
            RecordError::LongRecord(99_999_999_999_999_999_999)
        );
        assert_eq!(refused(b"000000000000000000001"), RecordError::LongLine);
        assert_eq!(refused(&[b'1'; 4096]), RecordError::LongLine);
        let mut decoder = Decoder::default();
        decoder.push(b"67108864\nx", &mut Vec::new()).unwrap();
        let Place::Record { bytes, length } = &decoder.place else { panic!("{decoder:?}") };
        assert!(bytes.capacity() <= BYTES_AHEAD && *length == RECORD_MAX);
    }

    #[test]
    fn behind_an_error_nothing_is_believed() {
        let mut decoder = Decoder::default();
        let mut records = Vec::new();
        let error = decoder.push(b"2\nok3x", &mut records).unwrap_err();
        assert_eq!((records.len(), &error), (1, &RecordError::NotADigit(b'x')));
        assert_eq!(decoder.push(b"2\nok", &mut records), Err(error.clone()));
        assert_eq!((records.len(), decoder.finish()), (1, Err(error)));
    }

    #[test]
    fn records_may_be_empty() {
        assert_eq!(decoded([&b"0\n1\na0\n"[..]]).0, [&b""[..], b"a", b""]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_out_whatever_the_pieces(
            records in vec(vec(any::<u8>(), 0..300), 0..8),
            sizes in vec(1_usize..50, 1..20),
        ) {
            let stream: Vec<u8> = records.iter().flat_map(|record| encode(record)).collect();
            let mut pieces = Vec::new();
            let mut rest = &stream[..];
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, behind) = rest.split_at((*size).min(rest.len()));
                pieces.push(piece);
                rest = behind;
            }
            prop_assert_eq!(decoded(pieces), (records, Ok(())));
        }

        #[test]
        fn any_bytes_are_read_or_refused_the_same_in_one_piece_and_in_many(bytes in vec(prop_oneof![Just(b'\n'), b'0'..=b'3', any::<u8>()], 0..60)) {
            let whole = decoded([&bytes[..]]);
            prop_assert_eq!(decoded(bytes.chunks(1)), whole);
        }
    }
}
