//! A picture of the job graph: from who follows whom to where each stands, so that every edge leads from left to right.
//!
//! ```text
//!   edges ──▶ choice (which jobs, if not all) ──▶ column (how far right) ──▶ order (how far down) ──▶ shelf (parts side by side)
//! ```
//!
//! A job without parents stands in the first column, any other right behind its last parent. In which order the jobs of
//! a column stand, and how far down each, is found by `rust-sugiyama`; what it does not promise is made sure of here:
//! that nothing overlaps, and that a strange graph takes no longer than others.
//!
//! Pure: the same edges make the same picture. Knows no jobs, only their numbers and how wide each is.

#![deny(clippy::disallowed_types)]

mod choice;
mod column;
mod order;
mod shelf;
#[cfg(test)]
mod tests;

pub use choice::{Chosen, Graph};

use std::collections::BTreeSet;

use order::Spot;
use shelf::Part;

/// How high every node is.
pub const NODE_HEIGHT: f64 = 34.0;
/// What is left free below a node.
const NODE_GAP: f64 = 16.0;
/// How high the way of an edge is that passes through a column.
const WAY_HEIGHT: f64 = 14.0;
/// What is left free between two columns, for edges.
const COLUMN_GAP: f64 = 56.0;
/// Edges that are drawn at most: about half a megabyte of JSON, and as many as anybody can tell apart.
pub const EDGES_MAX: usize = 6_000;
/// Ways of edges through columns that are looked after at most. Edges beyond them are drawn straight, the longest first:
/// a chain of which each job has an edge to the last would have millions.
const WAYS_MAX: usize = 6_000;
/// Stack that [`draw`] needs at most: `rust-sugiyama` calls itself once for each node and way in a row.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Where everything stands. Lengths are in pixels of the page, from the upper left corner.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawing {
    /// One place for each node, in the order of the nodes.
    pub places: Vec<Place>,
    /// The edges between them, by their ends. None that leads back is in it.
    pub lines: Vec<Line>,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Place {
    /// Of its left side.
    pub x: f64,
    /// Of its upper side.
    pub y: f64,
    /// As given.
    pub width: f64,
}

/// How an edge runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The node that it leaves.
    pub from: usize,
    /// The node that it leads to.
    pub to: usize,
    /// From the right side of the one to the left side of the other; each is further right than the one before.
    pub points: Vec<(f64, f64)>,
}

/// Draws nodes that are so wide, with edges from the first of a pair to the second.
///
/// Takes a fraction of a second for 2,000 nodes, and [`STACK_BYTES`] of stack at most.
///
/// # Panics
///
/// If an edge has an end that is no node.
#[must_use]
pub fn draw(widths: &[f64], edges: &BTreeSet<(usize, usize)>) -> Drawing {
    let columns = column::columns(widths.len(), edges);
    // An edge that would lead back is one of a circle, which no definition makes, but a list that is read while jobs
    // change can.
    let forward = edges.iter().copied().filter(|(from, to)| columns[*from] < columns[*to]);
    let forward: BTreeSet<(usize, usize)> = forward.collect();
    let routed = within_bounds(&columns, &forward);
    let mut drawing = Drawing {
        places: widths.iter().map(|&width| Place { width, ..Place::default() }).collect(),
        ..Drawing::default()
    };
    let mut parts = Vec::new();
    for (nodes, edges) in column::parts(widths.len(), &forward) {
        parts.push(part(&nodes, &edges, widths, &columns, &routed));
    }
    (drawing.width, drawing.height) = shelf::put(&mut parts);
    for Part { x, y, nodes, lines, .. } in parts {
        for (node, at) in nodes {
            let place = &mut drawing.places[node];
            (place.x, place.y) = (x + at.0, y + at.1);
        }
        drawing.lines.extend(lines.into_iter().map(|mut line| {
            line.points.iter_mut().for_each(|point| *point = (x + point.0, y + point.1));
            line
        }));
    }
    drawing.lines.sort_by_key(|line| (line.from, line.to));
    drawing
}

/// The edges whose ways are looked after.
fn within_bounds(columns: &[usize], edges: &BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    let ways = |(from, to): (usize, usize)| columns[to] - columns[from] - 1;
    let mut shortest_first: Vec<(usize, usize)> = edges.iter().copied().collect();
    shortest_first.sort_by_key(|edge| (ways(*edge), *edge));
    let mut left = WAYS_MAX;
    let fits = |edge: &(usize, usize)| match left.checked_sub(ways(*edge)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    // Those behind the first that does not fit are not shorter.
    shortest_first.into_iter().take_while(fits).collect()
}

/// Draws nodes that hang together.
fn part(
    nodes: &[usize],
    edges: &[(usize, usize)],
    widths: &[f64],
    columns: &[usize],
    routed: &BTreeSet<(usize, usize)>,
) -> Part {
    let first = nodes.iter().map(|node| columns[*node]).min().unwrap_or(0);
    let last = nodes.iter().map(|node| columns[*node]).max().unwrap_or(0);
    let mut column_widths = vec![0.0_f64; last - first + 1];
    for node in nodes {
        let width = &mut column_widths[columns[*node] - first];
        *width = width.max(widths[*node]);
    }
    let mut lefts = Vec::with_capacity(column_widths.len());
    let mut right = 0.0;
    for width in &column_widths {
        lefts.push(right);
        right += width + COLUMN_GAP;
    }
    let kept: Vec<(usize, usize)> =
        edges.iter().copied().filter(|edge| routed.contains(edge)).collect();
    let ordered = order::order(nodes, &kept, columns);
    let left = |node: usize| lefts[columns[node] - first];
    let top = |node: usize| ordered.middles[&Spot::Node(node)] - NODE_HEIGHT / 2.0;
    let line = |&(from, to): &(usize, usize)| {
        let middle = |node| ordered.middles[&Spot::Node(node)];
        let mut points = vec![(left(from) + widths[from], middle(from))];
        // Out of the column first: a wider node may stand above or below.
        let end = left(from) + column_widths[columns[from] - first];
        points.extend((points[0].0 < end).then_some((end, middle(from))));
        for column in columns[from] + 1..columns[to] {
            if let Some(&y) = ordered.middles.get(&Spot::Way { from, to, column }) {
                let x = lefts[column - first];
                points.extend([(x, y), (x + column_widths[column - first], y)]);
            }
        }
        points.push((left(to), middle(to)));
        Line { from, to, points }
    };
    Part {
        x: 0.0,
        y: 0.0,
        width: right - COLUMN_GAP,
        height: ordered.height,
        nodes: nodes.iter().map(|node| (*node, (left(*node), top(*node)))).collect(),
        lines: edges.iter().map(line).collect(),
    }
}
