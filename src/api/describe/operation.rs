//! One operation, put together piece by piece, and what all of them share: refusals and headers.

use serde_json::{Map, Value, json};

use super::schemas::reason;
use crate::api::routes::{Needs, Route};
use crate::jobspec::name_schema;
use crate::model::NameRule;

/// What is said of one method of one path.
pub(super) struct Operation {
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    /// Whether the body may be left out.
    needs_no_body: bool,
    answers: Vec<(u16, Value)>,
    /// Further statuses with which it is refused, beside those of every route of its kind.
    refusals: Vec<u16>,
}

/// An answer with a body, or without one.
pub(super) struct Answer(Value);

impl Answer {
    /// JSON of this schema.
    pub(super) fn json(words: &str, schema: Value) -> Self {
        Self::of(words, "application/json", schema)
    }

    /// Text of this kind.
    pub(super) fn text(words: &str, kind: &str) -> Self {
        Self::of(words, kind, json!({"type": "string"}))
    }

    pub(super) fn of(words: &str, kind: &str, schema: Value) -> Self {
        let mut answer = Self::empty(words);
        answer.0["content"] = json!({kind: {"schema": schema}});
        answer
    }

    /// Nothing but the status and headers.
    pub(super) fn empty(words: &str) -> Self {
        Self(json!({"description": words, "headers": {"X-Request-Id": header("X-Request-Id")}}))
    }

    /// The same in one more form.
    pub(super) fn also(mut self, kind: &str, schema: Value) -> Self {
        self.0["content"][kind] = json!({"schema": schema});
        self
    }

    pub(super) fn with(mut self, names: &[&str]) -> Self {
        for name in names {
            self.0["headers"][*name] = header(name);
        }
        self
    }
}

impl Operation {
    pub(super) fn new(id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            tag,
            summary,
            description: "",
            parameters: Vec::new(),
            body: None,
            needs_no_body: false,
            answers: Vec::new(),
            refusals: Vec::new(),
        }
    }

    pub(super) fn said(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    pub(super) fn query(mut self, name: &str, schema: Value, words: &str) -> Self {
        self.parameters
            .push(json!({"name": name, "in": "query", "description": words, "schema": schema}));
        self
    }

    /// A parameter without which there is no answer.
    pub(super) fn required(mut self, name: &str, schema: Value, words: &str) -> Self {
        self = self.query(name, schema, words);
        if let Some(last) = self.parameters.last_mut() {
            last["required"] = true.into();
        }
        self
    }

    pub(super) fn header(mut self, name: &str, schema: Value, words: &str) -> Self {
        self.parameters
            .push(json!({"name": name, "in": "header", "description": words, "schema": schema}));
        self
    }

    /// Whether it is only tried out.
    pub(super) fn dry_run(self) -> Self {
        self.query(
            "dryRun",
            json!({"type": "boolean", "default": false}),
            "Only tell what it would come to.",
        )
    }

    /// Why, where there is no body to say it in.
    pub(super) fn reason(self) -> Self {
        self.query("reason", reason(), "Why, for the audit log and the runs that it stops.")
    }

    pub(super) fn body(mut self, schema: Value) -> Self {
        self.body = Some(schema);
        self
    }

    /// A body that may be left out.
    pub(super) fn maybe_body(mut self, schema: Value) -> Self {
        self.needs_no_body = true;
        self.body(schema)
    }

    pub(super) fn answer(mut self, status: u16, answer: Answer) -> Self {
        self.answers.push((status, answer.0));
        self
    }

    pub(super) fn refused(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    /// As the document has it, with what belongs to its route.
    pub(super) fn print(self, route: &Route, suffix: &str) -> Value {
        let Self {
            id, tag, summary, description, parameters, body, needs_no_body, answers, ..
        } = self;
        let mut refusals = self.refusals;
        let reads = route.method == "GET";
        let mut all: Vec<Value> = path_parameters(route.path).collect();
        all.extend(parameters);
        match route.needs {
            Needs::Nothing => refusals.push(403),
            Needs::Role(_) => refusals.extend([401, 403, 429, 500, 503]),
        }
        if body.is_some() {
            refusals.extend([400, 408, 413, 415]);
        }
        if !reads {
            all.extend(conditions());
            refusals.extend([400, 412, 422]);
        }
        refusals.sort_unstable();
        refusals.dedup();
        let mut responses: Map<String, Value> =
            answers.into_iter().map(|(status, answer)| (status.to_string(), answer)).collect();
        for status in refusals {
            let reference = format!("#/components/responses/{}", refusal_name(status));
            responses.insert(status.to_string(), json!({"$ref": reference}));
        }
        let mut printed =
            json!({"operationId": format!("{id}{suffix}"), "tags": [tag], "summary": summary});
        if !description.is_empty() {
            printed["description"] = description.into();
        }
        if !all.is_empty() {
            printed["parameters"] = all.into();
        }
        if let Some(schema) = body {
            printed["requestBody"] = json!({"required": !needs_no_body, "content": {"application/json": {"schema": schema}}});
        }
        printed["responses"] = Value::Object(responses);
        printed
    }
}

/// The parameters that a path has in braces.
fn path_parameters(path: &str) -> impl Iterator<Item = Value> + '_ {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(move |name| {
        let (schema, words) = match name {
            // What is no name is answered as a name of no job.
            "name" if path.starts_with("/job/success/") => {
                (json!({"type": "string", "minLength": 1}), "The name of a job.")
            }
            "name" => (name_schema(NameRule::Blanks), "The name of a job."),
            "id" => (
                json!({"type": "string", "minLength": 1, "examples": ["j1-s1795269600000"]}),
                "The id of a run.",
            ),
            "incident" => (
                json!({"type": "string", "minLength": 1, "examples": ["i12"]}),
                "The id of an incident.",
            ),
            "notification" => (
                json!({"type": "string", "minLength": 1, "examples": ["n12"]}),
                "The id of a notification.",
            ),
            "backfill" => (
                json!({"type": "string", "minLength": 1, "examples": ["b12"]}),
                "The id of a backfill.",
            ),
            "task_id" if path.ends_with("/progress") => (
                json!({"type": "string", "pattern": "^ct:", "examples": ["ct:1795269600000:0:hello:"]}),
                "The id of a task, as it has it in `mesos_task_id`.",
            ),
            "task_id" => (
                json!({"type": "string", "minLength": 1, "examples": ["ct:1795269600000:0:hello:"]}),
                "The id of a task, as it has it in `mesos_task_id`.",
            ),
            "revision" => (
                json!({"type": "string", "pattern": "^([0-9]{1,18}[.])?[0-9]{1,18}$"}),
                "A revision: `3` of the latest life of the name, or `1.3`.",
            ),
            "figure" => (
                json!({"type": "string", "minLength": 1, "examples": [
                    "median", "mean", "75thPercentile", "95thPercentile", "98thPercentile", "99thPercentile",
                ]}),
                "A figure; one that nobody knows is one of no job, as in Chronos.",
            ),
            other => panic!("a path with `{{{other}}}`, which nothing is said of"),
        };
        json!({"name": name, "in": "path", "required": true, "description": words, "schema": schema})
    })
}

/// The headers that say when a change is made.
fn conditions() -> [Value; 3] {
    let tag = json!({"type": "string", "pattern": "^[ -~]*$"});
    [
        json!({
            "name": "If-Match", "in": "header", "schema": tag,
            "description": "Only if the job's `ETag` is one of these. For what is about one job.",
        }),
        json!({
            "name": "If-None-Match", "in": "header", "schema": {"const": "*"},
            "description": "Only if there is no such job. For what is about one job.",
        }),
        json!({
            "name": "Idempotency-Key", "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "description": "Requests with one key are carried out once.",
        }),
    ]
}

/// Every status with which something is refused, with its name here and why.
const REFUSALS: [(u16, &str, &str); 15] = [
    (
        400,
        "Invalid",
        "It cannot be understood or is not allowed, or there is no such job (`unknown_job`).",
    ),
    (401, "Unauthorized", "Credentials are missing, wrong or expired."),
    (
        403,
        "Forbidden",
        "The role is too low, the scope too narrow, or the connection not one that is let in.",
    ),
    (404, "NotFound", "There is no such thing."),
    (408, "Late", "The body did not arrive in time."),
    (409, "Impossible", "It stands in a way in which this cannot be done."),
    (412, "Changed", "The job is not as `If-Match` or `If-None-Match` has it."),
    (413, "TooLarge", "The body is too large."),
    (415, "NoJson", "The body is not declared as JSON."),
    (416, "NoSuchRange", "Nothing of that range is kept."),
    (422, "KeyReused", "The `Idempotency-Key` was used for another request."),
    (429, "TooMany", "Too many passwords are tried at one time."),
    (500, "Failed", "Something is wrong in here; the log says what, under `requestId`."),
    (
        502,
        "Elsewhere",
        "The agent that has it cannot be asked, or refuses; nothing of the run is lost.",
    ),
    (503, "Unavailable", "Nothing is changed, or it is not known; asking again is safe."),
];

fn refusal_name(status: u16) -> &'static str {
    let found = REFUSALS.iter().find(|(known, _, _)| *known == status);
    found.map_or_else(|| panic!("nothing is said of {status}"), |(_, name, _)| *name)
}

/// The refusals, which all have one body.
pub(super) fn refusals() -> Value {
    let print = |&(status, name, words): &(u16, &str, &str)| {
        let headers: &[&str] = match status {
            401 => &["WWW-Authenticate"],
            416 => &["Content-Range"],
            429 | 503 => &["Retry-After"],
            _ => &[],
        };
        let error = json!({"$ref": "#/components/schemas/Error"});
        (name.to_owned(), Answer::json(words, error).with(headers).0)
    };
    Value::Object(REFUSALS.iter().map(print).collect())
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// The headers of answers.
pub(super) fn headers() -> Value {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    let headers = [
        ("X-Request-Id", true, count(), "The number by which the log knows the request."),
        (
            "ETag",
            true,
            text(),
            "Which definition it is, for `If-Match`: `\"1.3\"`, `\"1.3d\"` while disabled.",
        ),
        (
            "Chronode-Revision",
            true,
            json!({"type": "integer", "minimum": 1}),
            "The revision alone.",
        ),
        ("Chronode-Run-Id", true, text(), "The id of the run."),
        (
            "Warning",
            false,
            text(),
            "What has no effect, and what becomes of other jobs; one header for each sentence.",
        ),
        ("Link", false, text(), "Where the next page is, relative to the path asked for."),
        ("WWW-Authenticate", true, text(), "How to show credentials."),
        ("Retry-After", true, count(), "Seconds after which to ask again."),
        ("Content-Range", true, text(), "Which bytes these are, of how many."),
        ("Accept-Ranges", true, json!({"const": "bytes"}), "That ranges can be asked for."),
        (
            "Chronode-Omitted",
            true,
            count(),
            "How many bytes before the first one were asked for and not kept.",
        ),
    ];
    let print = |(name, required, schema, words): (&str, bool, Value, &str)| {
        let header = json!({"description": words, "required": required, "schema": schema});
        (name.to_owned(), header)
    };
    Value::Object(headers.into_iter().map(print).collect())
}
