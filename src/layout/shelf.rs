//! Puts parts of a picture side by side, in rows.

use super::Line;

/// Left free between two parts.
const GAP: f64 = 40.0;
/// How much wider than high the whole should be: as most screens are.
const ASPECT: f64 = 1.6;

/// A part of a picture: what is in it is placed from its own corner.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) nodes: Vec<(usize, (f64, f64))>,
    pub(super) lines: Vec<Line>,
}

/// Gives each its place, and says how wide and high all of them are. The highest come first.
pub(super) fn put(parts: &mut [Part]) -> (f64, f64) {
    let first = |part: &Part| part.nodes.first().map(|(node, _)| *node);
    parts.sort_by(|a, b| b.height.total_cmp(&a.height).then(first(a).cmp(&first(b))));
    let area: f64 = parts.iter().map(|part| (part.width + GAP) * (part.height + GAP)).sum();
    let widest = parts.iter().map(|part| part.width).fold(0.0, f64::max);
    let wanted = (area * ASPECT).sqrt().max(widest);
    let (mut x, mut y, mut row) = (0.0, 0.0, 0.0_f64);
    let (mut width, mut height) = (0.0_f64, 0.0_f64);
    for part in parts {
        if x > 0.0 && x + part.width > wanted {
            (x, y, row) = (0.0, y + row + GAP, 0.0);
        }
        (part.x, part.y) = (x, y);
        width = width.max(x + part.width);
        height = height.max(y + part.height);
        row = row.max(part.height);
        x += part.width + GAP;
    }
    (width, height)
}
