//! What holds for every picture.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{COLUMN_GAP, Drawing, EDGES_MAX, NODE_HEIGHT, STACK_BYTES, draw};

type Edges = BTreeSet<(usize, usize)>;

/// Draws with as much stack as is promised to be enough.
fn drawn(widths: &[f64], edges: &Edges) -> Drawing {
    let (widths, edges) = (widths.to_vec(), edges.clone());
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(move || draw(&widths, &edges)).unwrap().join().unwrap()
}

/// Whatever is drawn, nothing touches, everything is inside, and every edge leads from left to right.
fn check(widths: &[f64], edges: &Edges) -> Drawing {
    let drawing = drawn(widths, edges);
    let Drawing { places, lines, width, height } = &drawing;
    assert_eq!(places.len(), widths.len());
    for (place, given) in places.iter().zip(widths) {
        assert_eq!(place.width, *given);
        assert!(place.x >= 0.0 && place.y >= -0.001, "{place:?}");
        assert!(place.x + place.width <= width + 0.001, "{place:?} {width}");
        assert!(place.y + NODE_HEIGHT <= height + 0.001, "{place:?} {height}");
    }
    let mut by_top: Vec<usize> = (0..places.len()).collect();
    by_top.sort_by(|a, b| places[*a].y.total_cmp(&places[*b].y));
    for (position, &one) in by_top.iter().enumerate() {
        let below = by_top[position + 1..].iter();
        for &other in below.take_while(|it| places[**it].y < places[one].y + NODE_HEIGHT) {
            let (left, right) =
                if places[one].x <= places[other].x { (one, other) } else { (other, one) };
            let is_apart = places[left].x + places[left].width <= places[right].x;
            assert!(is_apart, "{one} and {other} overlap: {:?} {:?}", places[one], places[other]);
        }
    }
    let ends: Edges = lines.iter().map(|line| (line.from, line.to)).collect();
    assert_eq!((ends.len(), &ends), (lines.len(), edges));
    for line in lines {
        let (from, to) = (places[line.from], places[line.to]);
        let middle = NODE_HEIGHT / 2.0;
        let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
        assert_eq!(first, (from.x + from.width, from.y + middle));
        assert_eq!(last, (to.x, to.y + middle));
        for pair in line.points.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{line:?}");
        }
        // Up and down it goes between columns alone, where no node is.
        for pair in line.points.windows(2).filter(|pair| pair[0].1 != pair[1].1) {
            let is_between = pair[1].0 - pair[0].0 <= COLUMN_GAP + 0.001;
            // One that is not looked after leads straight to its end.
            let is_straight = pair[1] == last && line.points.len() <= 3;
            assert!(is_between || is_straight, "{line:?}");
        }
    }
    drawing
}

/// Edges of a graph without circles: from a smaller number to a greater one, under a shuffled naming.
fn acyclic(nodes: usize, edges: usize) -> impl Strategy<Value = (Vec<f64>, Edges)> {
    (1..=nodes).prop_flat_map(move |nodes| {
        let names = Just((0..nodes).collect::<Vec<_>>()).prop_shuffle();
        let pairs = prop::collection::vec((0..nodes, 0..nodes), 0..=edges);
        let widths = prop::collection::vec((40..240_u8).prop_map(f64::from), nodes);
        (names, pairs, widths).prop_map(|(names, pairs, widths)| {
            let pairs = pairs.into_iter().filter(|(a, b)| a != b);
            let edges = pairs.map(|(a, b)| (names[a.min(b)], names[a.max(b)])).collect();
            (widths, edges)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn small_graphs_are_drawn_right((widths, edges) in acyclic(12, 30)) {
        let drawing = check(&widths, &edges);
        prop_assert_eq!(drawn(&widths, &edges), drawing, "the same edges make the same picture");
    }

    #[test]
    fn circles_are_drawn_without_the_edges_that_lead_back(
        pairs in prop::collection::btree_set((0..9_usize, 0..9_usize), 0..30)
    ) {
        let widths = [50.0; 9];
        let drawing = drawn(&widths, &pairs);
        let kept: Edges = drawing.lines.iter().map(|line| (line.from, line.to)).collect();
        prop_assert!(kept.is_subset(&pairs));
        check(&widths, &kept);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn large_graphs_are_drawn_right((widths, edges) in acyclic(300, 500)) {
        let drawing = check(&widths, &edges);
        prop_assert_eq!(drawn(&widths, &edges), drawing);
    }
}

#[test]
fn nothing_is_drawn_as_nothing() {
    assert_eq!(draw(&[], &Edges::new()), Drawing::default());
    let one = check(&[77.0], &Edges::new());
    assert_eq!((one.width, one.height), (77.0, NODE_HEIGHT));
}

#[test]
fn an_edge_that_passes_a_column_leads_around_what_stands_there() {
    // 0→1→2 and 0→2.
    let drawing = check(&[60.0, 200.0, 60.0], &[(0, 1), (1, 2), (0, 2)].into());
    let line = drawing.lines.iter().find(|line| (line.from, line.to) == (0, 2)).unwrap();
    let passed = drawing.places[1];
    assert_eq!(line.points.len(), 4);
    for &(x, y) in &line.points[1..3] {
        assert!(x >= passed.x && x <= passed.x + passed.width);
        assert!(y < passed.y || y > passed.y + NODE_HEIGHT, "{line:?} {passed:?}");
    }
}

#[test]
fn parts_stand_beside_each_other_as_wide_as_a_screen() {
    // Two hundred pairs.
    let edges: Edges = (0..200).map(|pair| (2 * pair, 2 * pair + 1)).collect();
    let drawing = check(&[100.0; 400], &edges);
    let aspect = drawing.width / drawing.height;
    assert!((1.0..2.6).contains(&aspect), "{aspect}");
}

/// Shapes in which an algorithm that calls itself goes deepest, or takes longest.
#[test]
fn long_wide_and_dense_graphs_are_drawn_with_the_stack_there_is() {
    const NODES: usize = 2_000;
    let chain = || (1..NODES).map(|node| (node - 1, node));
    let shapes: [(&str, Edges); 8] = [
        ("a chain", chain().collect()),
        ("a chain from its end", chain().map(|(a, b)| (NODES - 1 - a, NODES - 1 - b)).collect()),
        ("one with all children", (1..NODES).map(|node| (0, node)).collect()),
        ("one with all parents", (1..NODES).map(|node| (node, 0)).collect()),
        ("a chain with edges to its end", {
            let last = (0..NODES - 1).map(|node| (node, NODES - 1));
            chain().chain(last).collect()
        }),
        ("a chain with long edges", {
            let long = (0..NODES - 500).step_by(3).map(|node| (node, node + 500));
            chain().chain(long).collect()
        }),
        ("two columns, everything with everything", {
            (0..77).flat_map(|from| (77..154).map(move |to| (from, to))).collect()
        }),
        ("a grid", {
            let (rows, across) = (40, NODES / 40);
            let step = |node: usize| {
                let right = (node % across + 1 < across).then_some((node, node + 1));
                let down = (node / across + 1 < rows).then_some((node, node + across));
                right.into_iter().chain(down)
            };
            (0..NODES).flat_map(step).collect()
        }),
    ];
    for (shape, edges) in shapes {
        assert!(edges.len() <= EDGES_MAX, "{shape}");
        let nodes = edges.iter().map(|(from, to)| from.max(to) + 1).max().unwrap();
        check(&vec![100.0; nodes], &edges);
    }
}
