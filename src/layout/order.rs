//! In which order the nodes of a column stand, and how far down each.
//!
//! An edge that passes through columns has a place in each, so that it leads around the nodes there. `rust-sugiyama`
//! calculates; of what it gives back, only the order and the wish of each place are used, and places that it would put
//! into each other are moved down until they are not.

use std::collections::BTreeMap;

use rust_sugiyama::configure::{Config, CrossingMinimization, RankingType};
use rust_sugiyama::from_vertices_and_edges;

use super::{NODE_GAP, NODE_HEIGHT, WAY_HEIGHT};

/// What needs a place in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// A node.
    Node(usize),
    /// The way of an edge through a column.
    Way { from: usize, to: usize, column: usize },
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    /// How far down the middle of each is.
    pub(super) middles: BTreeMap<Spot, f64>,
    /// How high all of it is.
    pub(super) height: f64,
}

/// Spots of which pairs are tried the other way round to find fewer crossings; with more, that takes seconds.
const SWAPPED_MAX: usize = 1_200;

impl Spot {
    /// With what is left free.
    const fn height(self) -> f64 {
        match self {
            Self::Node(_) => NODE_HEIGHT + NODE_GAP,
            Self::Way { .. } => WAY_HEIGHT,
        }
    }
}

/// Orders `nodes`, which have these columns.
pub(super) fn order(nodes: &[usize], edges: &[(usize, usize)], columns: &[usize]) -> Ordered {
    let mut spots: Vec<(Spot, usize)> =
        nodes.iter().map(|node| (Spot::Node(*node), columns[*node])).collect();
    let mut steps: Vec<(Spot, Spot)> = Vec::new();
    for &(from, to) in edges {
        let mut last = Spot::Node(from);
        for column in columns[from] + 1..columns[to] {
            let way = Spot::Way { from, to, column };
            spots.push((way, column));
            steps.push((last, way));
            last = way;
        }
        steps.push((last, Spot::Node(to)));
    }
    let wishes = wishes(&spots, &steps);
    apart(&spots, &wishes)
}

/// Where each spot would like its middle, by its index.
fn wishes(spots: &[(Spot, usize)], steps: &[(Spot, Spot)]) -> Vec<f64> {
    let numbers: BTreeMap<Spot, u32> = spots.iter().map(|(spot, _)| *spot).zip(0..).collect();
    // What it calls the width of a vertex is our height: it draws from top to bottom.
    let mut vertices: Vec<(u32, (f64, f64))> =
        numbers.iter().map(|(spot, number)| (*number, (spot.height(), 1.0))).collect();
    vertices.sort_by_key(|(number, _)| *number);
    let edges: Vec<(u32, u32)> =
        steps.iter().map(|(from, to)| (numbers[from], numbers[to])).collect();
    let config = Config {
        minimum_length: 1,
        vertex_spacing: 0.0,
        dummy_vertices: true,
        dummy_size: 1.0,
        // Every step leads from one column to the next, so its ranks are our columns.
        ranking_type: RankingType::Up,
        c_minimization: CrossingMinimization::Barycenter,
        transpose: spots.len() <= SWAPPED_MAX,
    };
    let mut wishes = vec![0.0; spots.len()];
    // What is connected by edges alone that are not looked after comes in several parts, one below the other.
    let mut below = 0.0_f64;
    let mut parts: Vec<_> = from_vertices_and_edges(&vertices, &edges, &config)
        .into_iter()
        .map(|(mut places, _, _)| {
            places.sort_by_key(|(index, _)| *index);
            places
        })
        .collect();
    parts.sort_by_key(|places| places.first().map(|(index, _)| *index));
    for places in parts {
        let mut end = below;
        for (index, (at, _)) in places {
            wishes[index] = below + at;
            end = end.max(below + at + spots[index].0.height());
        }
        below = end;
    }
    wishes
}

/// Puts spots where they would like to be, in the order of that, and those that would touch further down.
fn apart(spots: &[(Spot, usize)], wishes: &[f64]) -> Ordered {
    let mut by_column: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (_, column)) in spots.iter().enumerate() {
        by_column.entry(*column).or_default().push(index);
    }
    let mut middles = BTreeMap::new();
    let (mut top, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY);
    for mut column in by_column.into_values() {
        column.sort_by(|a, b| wishes[*a].total_cmp(&wishes[*b]).then(a.cmp(b)));
        let mut free = f64::NEG_INFINITY;
        for index in column {
            let spot = spots[index].0;
            let half = spot.height() / 2.0;
            let middle = wishes[index].max(free + half);
            free = middle + half;
            middles.insert(spot, middle);
            top = top.min(middle - half);
            bottom = bottom.max(free);
        }
    }
    // The first node touches the upper side, and nothing is left free below the last.
    let shift = top + NODE_GAP / 2.0;
    middles.values_mut().for_each(|middle| *middle -= shift);
    Ordered { middles, height: bottom - top - NODE_GAP }
}
