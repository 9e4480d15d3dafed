//! `chronode events`

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use super::client::{EventsCommand, Terminal};
use super::http::{Server, encode};
use super::{CliError, table};
use crate::clock;
use crate::model::Duration;

/// Between two attempts to listen again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Follows the events until nobody reads what is printed. A connection that is lost is made again, and what happened
/// meanwhile is heard then.
pub(super) fn run(
    server: &Server,
    command: &EventsCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let EventsCommand { job, kind, since } = command;
    let mut filter = String::new();
    if let Some(job) = job {
        filter.push_str(&format!("&job={}", encode(job.as_str())));
    }
    if let Some(kind) = kind {
        filter.push_str(&format!("&kind={}", encode(kind)));
    }
    let mut listening = Listening { last: since.clone(), has_listened: false, is_lost: false };
    loop {
        match listening.listen(server, &filter, terminal) {
            // What cannot be done at all is told at once; what could be done before is tried again.
            Err(CliError::Failed(reason)) if listening.has_listened => {
                listening.lose(&reason, terminal)?;
            }
            Err(error) => return Err(error),
            Ok(()) => listening.lose("the server has ended it", terminal)?,
        }
        clock::pause_thread(RETRY_PAUSE);
    }
}

struct Listening {
    /// The id of the last event.
    last: Option<String>,
    has_listened: bool,
    /// Whether the loss of the connection was told, and not yet that it is back.
    is_lost: bool,
}

impl Listening {
    /// Prints what comes until the connection ends.
    fn listen(
        &mut self,
        server: &Server,
        filter: &str,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), CliError> {
        let after = self.last.as_ref().map(|id| format!("&after={}", encode(id)));
        let query = format!("{}{filter}", after.unwrap_or_default());
        let response = server.open(&format!("/events?{}", query.trim_start_matches('&')))?;
        self.has_listened = true;
        if std::mem::take(&mut self.is_lost) {
            writeln!(terminal.err, "listening again")?;
        }
        let mut event = Event::default();
        for line in BufReader::new(response).lines() {
            let line = line.map_err(|error| server.broken(&error))?;
            if !line.is_empty() {
                event.take(&line);
                continue;
            }
            let Event { id, name, data } = std::mem::take(&mut event);
            if !data.is_empty() {
                print(&name, &data, terminal)?;
            }
            // Only what was printed is not asked for again.
            if id.is_some() {
                self.last = id;
            }
        }
        Ok(())
    }

    fn lose(&mut self, reason: &str, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
        if !std::mem::replace(&mut self.is_lost, true) {
            let reason = table::plain(reason.lines().next().unwrap_or_default());
            writeln!(terminal.err, "not listening any more, trying again: {reason}")?;
        }
        Ok(())
    }
}

/// What has come of an event so far.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
}

impl Event {
    fn take(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // A comment, or what a later server says beside.
            _ => {}
        }
    }
}

fn print(name: &str, data: &str, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if name == "reset" {
        writeln!(
            terminal.err,
            "warning: some events cannot be told any more; `job list` and `run list` have what came of them"
        )?;
    }
    if terminal.json {
        writeln!(terminal.out, "{data}")?;
    } else if !matches!(name, "ready" | "reset") {
        let data: Value = serde_json::from_str(data).map_err(|error| {
            CliError::Failed(format!("the server does not answer like Chronode: {error}"))
        })?;
        writeln!(terminal.out, "{}", line(&data))?;
    }
    terminal.out.flush()?;
    Ok(())
}

/// What every event has, then what its kind has and this one says something about.
fn line(data: &Value) -> String {
    let text = |key: &str| data[key].as_str().map(table::plain);
    let number = |key: &str| data[key].as_u64().map(|number| number.to_string());
    let head = ["at", "kind", "what"].map(|key| table::cell(&data[key]));
    let labelled =
        |label: &str, value: Option<String>| value.map(|value| format!("{label} {value}"));
    let disabled =
        data["disabled"].as_bool().filter(|disabled| *disabled && data["what"] != "disabled");
    let facts = [
        text("job"),
        text("run"),
        text("zone"),
        labelled("term", number("term")),
        labelled("revision", number("revision")),
        disabled.map(|_| "disabled".to_owned()),
        labelled("attempt", number("attempt")),
        text("verdict"),
        labelled("exit", data["exit"].as_object().map(|_| table::cell(&data["exit"]))),
        labelled("because", text("stopReason")),
        labelled("until", text("until")),
        number("count").map(|count| {
            let (first, last) = (&data["firstDueAt"], &data["lastDueAt"]);
            format!("{count} due from {} to {}", table::cell(first), table::cell(last))
        }),
        text("problem"),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    let [at, kind, what] = head;
    format!("{at}  {kind:<8}  {what:<12}  {}", facts.join("  ")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let run = json!({"id": "1-0-5", "kind": "run", "at": "T", "what": "attemptEnded", "job": "a\n b",
            "run": "j1-m5", "dueAt": "D", "attempt": 0, "startedAt": null, "endedAt": "E",
            "verdict": null, "exit": {"code": 3}, "stopReason": null, "until": null});
        let expected = "T  run       attemptEnded  a\\n b  j1-m5  attempt 0  exit {\"code\":3}";
        assert_eq!(line(&run), expected);
        let job = json!({"at": "T", "kind": "job", "what": "created", "job": "a", "incarnation": 1,
            "revision": 2, "disabled": true});
        assert_eq!(line(&job), "T  job       created       a  revision 2  disabled");
        let launcher = json!({"at": "T", "kind": "launcher", "what": "connected", "problem": null});
        assert_eq!(line(&launcher), "T  launcher  connected");
        let stretch = json!({"at": "T", "kind": "stretch", "what": "recorded", "job": "a", "sequence": 4,
            "verdict": "missed", "firstDueAt": "F", "lastDueAt": "L", "count": 7});
        let expected = "T  stretch   recorded      a  missed  7 due from F to L";
        assert_eq!(line(&stretch), expected);
    }

    #[test]
    fn events_are_read_as_the_standard_has_it() {
        let mut event = Event::default();
        for line in
            ["id: 5", ":", ": comment", "event:run", "data:  a", "data: b", "later: x", "retry"]
        {
            event.take(line);
        }
        let data = " a\nb".to_owned();
        assert_eq!(event, Event { id: Some("5".to_owned()), name: "run".to_owned(), data });
    }
}
