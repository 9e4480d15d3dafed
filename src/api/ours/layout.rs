//! `P/layout`: the job graph, or what is around one job, as a picture.
//!
//! The jobs are copied from the read view; choosing and drawing hold nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::runs::unreadable;
use crate::api::brief::JobBrief;
use crate::api::error::ApiError;
use crate::api::query::{Query, invalid};
use crate::api::{Desk, json_response, print};
use crate::layout::{Chosen, Drawing, EDGES_MAX, Graph, NODE_HEIGHT, STACK_BYTES, draw};
use crate::model::{Job, JobName, NameRule, RunId, When};

/// Jobs that are drawn when the client does not say.
const NODES_DEFAULT: usize = 500;
/// Jobs that are drawn at most: about a megabyte of JSON.
pub(crate) const NODES_MAX: usize = 2_000;
/// Generations on either side of a job when the client does not say.
const GENERATIONS_DEFAULT: usize = 2;
/// Generations at most: as many as there can be.
pub(crate) const GENERATIONS_MAX: usize = NODES_MAX;

/// How wide a character of a name is, in the type of the page.
const CHARACTER_WIDTH: f64 = 7.2;
/// What a node has beside its name: a mark of its state, and room.
const FRAME_WIDTH: f64 = 40.0;
/// Characters of a name for which there is room; the page cuts longer ones off.
const CHARACTERS_MAX: usize = 28;
/// Characters for which there is room at least.
const CHARACTERS_MIN: usize = 4;

/// What is to be drawn.
struct Wanted {
    job: Option<JobName>,
    reach: (usize, usize),
    max: usize,
}

/// A picture of jobs.
struct Picture {
    /// Who each node is.
    nodes: Vec<Node>,
    drawing: Drawing,
    /// How many jobs it should have shown.
    wanted: usize,
}

struct Node {
    brief: JobBrief,
    parents: usize,
    children: usize,
}

/// `GET P/layout?job=&up=&down=&max=`.
pub(crate) async fn show(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["job", "up", "down", "max"])?;
    let wanted = Wanted::read(&query)?;
    let pages = desk.briefs();
    let picture = desk.foretell(move || wanted.draw(pages.flatten().collect())).await??;
    let names: Vec<JobName> = picture.nodes.iter().map(|node| node.job().name.clone()).collect();
    let newest = desk.newest_runs(names).await.map_err(unreadable)?;
    let told = desk.clone();
    let answer = desk.calculate(move || picture.print(&told, &newest)).await?;
    Ok(json_response(&answer))
}

impl Wanted {
    fn read(query: &Query) -> Result<Self, ApiError> {
        let reach = |name: &str| -> Result<usize, ApiError> {
            let found = query.within(name, 0..=GENERATIONS_MAX)?;
            match (found, query.get("job")) {
                (Some(found), None) => {
                    Err(invalid(name, &found.to_string(), "it together with `job` alone"))
                }
                (found, _) => Ok(found.unwrap_or(GENERATIONS_DEFAULT)),
            }
        };
        let reach = (reach("up")?, reach("down")?);
        let max = query.within("max", 1..=NODES_MAX)?.unwrap_or(NODES_DEFAULT);
        let job = match query.get("job") {
            None => None,
            Some(text) => {
                Some(JobName::parse(text, NameRule::Blanks).map_err(|_| unknown_job(text))?)
            }
        };
        Ok(Self { job, reach, max })
    }

    /// Draws some of these jobs, which are all that there are.
    fn draw(&self, mut briefs: Vec<JobBrief>) -> Result<Picture, ApiError> {
        briefs.sort_by(|a, b| a.job.name.cmp(&b.job.name));
        let numbers: BTreeMap<&JobName, usize> =
            briefs.iter().map(|brief| &brief.job.name).zip(0..).collect();
        let mut edges = BTreeSet::new();
        for (child, brief) in briefs.iter().enumerate() {
            // An edge that leads out of scope, or to a job deleted meanwhile, is none.
            let parents = parents(&brief.job).iter().filter_map(|name| numbers.get(name));
            edges.extend(parents.map(|parent| (*parent, child)));
        }
        let graph = Graph::new(briefs.len(), edges);
        let Chosen { nodes, wanted } = match &self.job {
            None => graph.all(self.max, EDGES_MAX),
            Some(name) => {
                let node = *numbers.get(name).ok_or_else(|| unknown_job(name.as_str()))?;
                graph.around(node, self.reach, self.max, EDGES_MAX)
            }
        };
        let places: BTreeMap<usize, usize> = nodes.iter().copied().zip(0..).collect();
        let edges: BTreeSet<(usize, usize)> =
            graph.between(&nodes).map(|(from, to)| (places[&from], places[&to])).collect();
        let nodes: Vec<Node> = nodes
            .iter()
            .map(|&node| Node {
                brief: briefs[node].clone(),
                parents: graph.parents(node).len(),
                children: graph.children(node).len(),
            })
            .collect();
        let widths: Vec<f64> = nodes.iter().map(|node| width(&node.job().name)).collect();
        let failed = |why: &str| ApiError::internal("the graph could not be drawn", why);
        // On a stack of its own: what is deep is deep in there.
        let drawing = thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn(move || draw(&widths, &edges))
            .map_err(|error| failed(&error.to_string()))?
            .join()
            .map_err(|_| failed("the calculation panicked"))?;
        Ok(Picture { nodes, drawing, wanted })
    }
}

impl Node {
    fn job(&self) -> &Arc<Job> {
        &self.brief.job
    }
}

impl Picture {
    fn print(&self, desk: &Desk, newest: &BTreeMap<JobName, RunId>) -> Value {
        let paused: BTreeSet<JobName> =
            desk.pauses().jobs.into_iter().map(|(job, _)| job).collect();
        let Drawing { places, lines, width, height } = &self.drawing;
        let name = |node: usize| self.nodes[node].job().name.as_str();
        let nodes = self.nodes.iter().zip(places).map(|(node, place)| {
            let (job, brief) = (node.job(), &node.brief);
            json!({
                "job": job.name.as_str(),
                "x": whole(place.x),
                "y": whole(place.y),
                "width": whole(place.width),
                "height": whole(NODE_HEIGHT),
                "parents": node.parents,
                "children": node.children,
                "state": brief.state.word(),
                "status": brief.status.as_str(),
                "disabled": job.disabled,
                "paused": paused.contains(&job.name),
                "nextDue": desk.job(&job.name).and_then(|it| it.next_due).map(print::instant),
                "lastRun": newest.get(&job.name).map(ToString::to_string),
            })
        });
        let edges = lines.iter().map(|line| {
            let points = line.points.iter().map(|&(x, y)| json!([whole(x), whole(y)]));
            json!({
                "from": name(line.from),
                "to": name(line.to),
                "points": points.collect::<Value>(),
            })
        });
        json!({
            "nodes": nodes.collect::<Value>(),
            "edges": edges.collect::<Value>(),
            "width": whole(*width),
            "height": whole(*height),
            "total": self.wanted,
            "leftOut": self.wanted - self.nodes.len(),
        })
    }
}

fn parents(job: &Job) -> &[JobName] {
    match &job.when {
        When::Parents(terms) => &terms.names,
        When::Schedule(_) => &[],
    }
}

fn width(name: &JobName) -> f64 {
    let characters = name.as_str().chars().count().clamp(CHARACTERS_MIN, CHARACTERS_MAX);
    let characters = u8::try_from(characters).unwrap_or(u8::MAX);
    (FRAME_WIDTH + CHARACTER_WIDTH * f64::from(characters)).ceil()
}

/// A length in whole pixels.
#[expect(
    clippy::cast_possible_truncation,
    reason = "no picture is so large; if it were, this is the largest"
)]
fn whole(length: f64) -> i64 {
    length.round() as i64
}

fn unknown_job(text: &str) -> ApiError {
    ApiError::not_found("unknown_job", format!("there is no job `{}`", text.escape_debug()))
        .field("job")
}
