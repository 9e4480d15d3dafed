//! YAML → a tree that knows its lines.
//!
//! Built from the parser's events rather than with saphyr's own loader, which recurses as deep as a file nests and does
//! not name the key that is there twice. Aliases share the node of their anchor; what they would unfold to is counted,
//! so that ten lines cannot become a gigabyte. Does not know jobs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::JSON_DEPTH_MAX;
use super::fields::shown;

/// How much all aliases of a file may unfold to, in nodes and bytes of text together.
const UNFOLDED_MAX: usize = 1 << 20;

/// What an unquoted text means in YAML's core schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Flag(bool),
    Whole(i64),
    Other,
}

impl Plain {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self::Null;
        }
        match saphyr::Scalar::parse_from_cow(Cow::Borrowed(text)) {
            saphyr::Scalar::Null => Self::Null,
            saphyr::Scalar::Boolean(flag) => Self::Flag(flag),
            saphyr::Scalar::Integer(whole) => Self::Whole(whole),
            saphyr::Scalar::FloatingPoint(_) | saphyr::Scalar::String(_) => Self::Other,
        }
    }
}

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    fn of(marker: &Marker) -> Self {
        Self { line: marker.line().max(1), column: marker.col() + 1 }
    }
}

/// Something wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: Place,
    pub(crate) message: String,
    pub(crate) remedy: &'static str,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) documents: Vec<Rc<Node>>,
    /// Each has left a [`Kind::Bad`] in its document.
    pub(crate) faults: Vec<Fault>,
}

/// A node and where it begins.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) kind: Kind,
    /// Nodes and bytes of text within it, unfolded.
    size: usize,
    /// Collections within it, one inside the other.
    depth: usize,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing: empty, `~`, `null`, unquoted.
    Null(String),
    /// Any other scalar as typed. What it means depends on the field.
    Text(String),
    List(Vec<Rc<Node>>),
    /// Keys are unique.
    Map(Vec<Entry>),
    /// There was a fault here.
    Bad,
}

/// A key, where it stands, and its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Place,
    pub(crate) value: Rc<Node>,
}

impl Node {
    /// An object without entries, as of an empty file.
    pub(crate) fn nothing() -> Self {
        Self::new(Place { line: 1, column: 1 }, Kind::Map(Vec::new()))
    }

    fn new(at: Place, kind: Kind) -> Self {
        let (size, depth) = match &kind {
            Kind::Null(text) | Kind::Text(text) => (text.len(), 0),
            Kind::List(items) => (
                items.iter().map(|item| item.size).sum(),
                1 + items.iter().map(|item| item.depth).max().unwrap_or_default(),
            ),
            Kind::Map(entries) => (
                entries.iter().map(|entry| entry.key.len() + entry.value.size).sum(),
                1 + entries.iter().map(|entry| entry.value.depth).max().unwrap_or_default(),
            ),
            Kind::Bad => (0, 0),
        };
        Self { at, kind, size: size + 1, depth }
    }
}

/// Reads all documents of a file.
///
/// # Errors
///
/// The [`Fault`] that ended the reading: not YAML, nested too deep, or unfolding to too much. What came before it is
/// not returned, because nobody knows what it would have gone on to be.
pub(crate) fn parse(text: &str) -> Result<Tree, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    refuse_nul(text)?;
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(&error))?;
        builder.take(event, span)?;
    }
    Ok(builder.tree)
}

/// The parser takes a NUL for the end of the file and would not see what follows.
fn refuse_nul(text: &str) -> Result<(), Fault> {
    let Some(index) = text.find('\0') else { return Ok(()) };
    let before = &text[..index];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message = "the file contains a NUL character".to_owned();
    Err(Fault { at: Place { line, column }, message, remedy: "remove it" })
}

fn not_yaml(error: &ScanError) -> Fault {
    Fault {
        at: Place::of(error.marker()),
        message: format!("this is no YAML: {}", error.info()),
        // A cron expression is what most often begins with such a character.
        remedy: "correct it at or just before that place; put a text that begins with one of \
                 `*&!@%[{` in quotes",
    }
}

#[derive(Debug, Default)]
struct Builder {
    tree: Tree,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Rc<Node>>,
    unfolded: usize,
}

/// A collection whose end has not come yet.
#[derive(Debug)]
struct Open {
    at: Place,
    anchor: usize,
    /// Whether its tag was refused.
    bad: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, keys: BTreeSet<String>, key: Option<(String, Place)> },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let at = Place::of(&span.start);
        match event {
            Event::SequenceStart(anchor, tag) => {
                self.begin(at, anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let content =
                    Content::Map { entries: Vec::new(), keys: BTreeSet::new(), key: None };
                self.begin(at, anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar(at, text.into_owned(), style, tag.as_deref());
                self.add(Rc::new(Node::new(at, kind)), anchor, at);
                Ok(())
            }
            Event::Alias(anchor) => self.unfold(anchor, at),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(
        &mut self,
        at: Place,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), Fault> {
        if self.open.len() == JSON_DEPTH_MAX {
            return Err(too_deep(at));
        }
        let bad = tag.is_some_and(|tag| !tag.is_yaml_core_schema());
        if let Some(tag) = tag.filter(|_| bad) {
            self.refuse_tag(at, tag);
        }
        self.open.push(Open { at, anchor, bad, content });
        Ok(())
    }

    fn end(&mut self) {
        let open = self.open.pop().expect("the parser ends only what it began");
        let kind = match open.content {
            Content::List(_) | Content::Map { .. } if open.bad => Kind::Bad,
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map(entries),
        };
        self.add(Rc::new(Node::new(open.at, kind)), open.anchor, open.at);
    }

    fn scalar(&mut self, at: Place, text: String, style: ScalarStyle, tag: Option<&Tag>) -> Kind {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            self.refuse_tag(at, tag);
            return Kind::Bad;
        }
        let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
        if !is_text && Plain::of(&text) == Plain::Null {
            Kind::Null(text)
        } else {
            Kind::Text(text)
        }
    }

    fn refuse_tag(&mut self, at: Place, tag: &Tag) {
        let message = format!("the tag `{}` is not known", shown(&tag.to_string()));
        self.tree.faults.push(Fault { at, message, remedy: "remove it" });
    }

    fn unfold(&mut self, anchor: usize, at: Place) -> Result<(), Fault> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let message = "an alias stands inside what it stands for".to_owned();
            return Err(Fault { at, message, remedy: "write out what is meant" });
        };
        self.unfolded += node.size;
        if self.unfolded > UNFOLDED_MAX {
            let message = format!("the aliases unfold to more than {UNFOLDED_MAX} bytes");
            return Err(Fault { at, message, remedy: "use fewer of them" });
        }
        if self.open.len() + node.depth > JSON_DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.add(node, 0, at);
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Rc<Node>, anchor: usize, at: Place) {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let Some(open) = self.open.last_mut() else {
            self.tree.documents.push(node);
            return;
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, keys, key } => match key.take() {
                None => *key = Some((read_key(&node, at, &mut self.tree.faults), at)),
                Some((key, at)) => {
                    let fault = key_fault(&key, &node, at, keys.contains(&key));
                    let value = if fault.is_some() || key.is_empty() {
                        Rc::new(Node::new(at, Kind::Bad))
                    } else {
                        node
                    };
                    self.tree.faults.extend(fault);
                    keys.insert(key.clone());
                    entries.push(Entry { key, at, value });
                }
            },
        }
    }
}

/// The text of a key; an empty one after its fault was noted.
fn read_key(node: &Node, at: Place, faults: &mut Vec<Fault>) -> String {
    let message = match &node.kind {
        Kind::Null(text) | Kind::Text(text) if !text.is_empty() => return text.clone(),
        // Its fault is noted already.
        Kind::Bad => return String::new(),
        Kind::Null(_) | Kind::Text(_) => "the name of this field is empty",
        Kind::List(_) | Kind::Map(_) => "the name of this field is no text",
    };
    faults.push(Fault { at, message: message.to_owned(), remedy: "write `field: value`" });
    String::new()
}

fn key_fault(key: &str, value: &Node, at: Place, is_there: bool) -> Option<Fault> {
    if key == "<<" && matches!(value.kind, Kind::Map(_) | Kind::List(_)) {
        // Taken for a field of its own, it would leave the job without what it stands for.
        let message = "merge keys (`<<`) are not part of YAML 1.2".to_owned();
        return Some(Fault { at, message, remedy: "write the fields out" });
    }
    (is_there && !key.is_empty()).then(|| {
        let message = format!("the field `{}` is there twice", shown(key));
        Fault { at, message, remedy: "remove one of them" }
    })
}

fn too_deep(at: Place) -> Fault {
    let message = format!("lists and fields are nested more than {JSON_DEPTH_MAX} deep");
    Fault { at, message, remedy: "flatten them" }
}
