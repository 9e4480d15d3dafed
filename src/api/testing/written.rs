//! What attempts wrote.

use bytes::Bytes;

use crate::api::Piece;

/// What one attempt wrote to one stream, with gaps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    pub(crate) total: u64,
    pub(crate) kept: Vec<(u64, Bytes)>,
}

impl Written {
    pub(crate) fn all(text: &str) -> Self {
        Self { total: text.len() as u64, kept: vec![(0, Bytes::copy_from_slice(text.as_bytes()))] }
    }

    pub(super) fn piece(&self, position: u64, max: usize) -> Piece {
        let kept = self.kept.iter().find(|(start, bytes)| start + bytes.len() as u64 > position);
        let Some((start, bytes)) = kept else {
            return Piece { position, bytes: Bytes::new(), omitted: 0, total: self.total };
        };
        let found = position.max(*start);
        let from = usize::try_from(found - start).unwrap();
        let to = bytes.len().min(from.saturating_add(max));
        let (bytes, omitted) = (bytes.slice(from..to), found - position);
        Piece { position: found, bytes, omitted, total: self.total }
    }
}
