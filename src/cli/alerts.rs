//! What is wrong and who is told: `chronode incidents`, `incident`, `notifications` and `notify`, and `chronode job silence`
//! and `unsilence`.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::{Terminal, instant, job_name};
use super::http::{Server, encode};
use super::operate::{Why, tell};
use super::{CliError, table};
use crate::model::{JobName, Timestamp};

/// Jobs and people named in one cell; more are counted.
const NAMED_IN_CELL: usize = 3;

/// `chronode incidents …`
#[derive(Debug, Args)]
pub struct IncidentsCommand {
    /// Only those that are about this job, too
    #[arg(long, value_name = "NAME", value_parser = job_name)]
    pub job: Option<JobName>,
    /// Only what is over, in place of what goes on
    #[arg(long, conflicts_with = "all")]
    pub closed: bool,
    /// What goes on and what is over
    #[arg(long)]
    pub all: bool,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: u16,
}

/// `chronode incident …`
#[derive(Debug, Subcommand)]
pub enum IncidentCommand {
    /// Show one with its latest alerts and the messages that tell of it
    Show {
        /// Its id, as `incidents` prints it
        id: String,
    },
    /// Look after one: nobody is told of it until it is put right
    Acknowledge(AboutIncident),
    /// Have nobody told of one for a while
    Silence {
        /// Which incident, and why
        #[command(flatten)]
        about: AboutIncident,
        /// How long
        #[command(flatten)]
        length: Length,
    },
    /// Have people told of one again
    Unsilence(AboutIncident),
}

/// An incident, and why something is done about it.
#[derive(Debug, Args)]
pub struct AboutIncident {
    /// Its id, as `incidents` prints it
    pub id: String,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// How long a silence lasts.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Length {
    /// Until this instant, as 2026-03-01T13:00:00Z
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub until: Option<Timestamp>,
    /// For so long from now, as PT1H
    #[arg(long = "for", value_name = "PERIOD")]
    pub period: Option<String>,
}

impl Length {
    /// Adds it to what is sent.
    fn put_into(&self, fields: &mut Value) {
        let Self { until, period } = self;
        if let Some(until) = until {
            fields["until"] = until.to_string().into();
        }
        if let Some(period) = period {
            fields["for"] = period.as_str().into();
        }
    }
}

/// `chronode job silence …`
#[derive(Debug, Args)]
pub struct SilenceJob {
    /// Which job, and why
    #[command(flatten)]
    pub about: UnsilenceJob,
    /// How long
    #[command(flatten)]
    pub length: Length,
}

/// `chronode job unsilence …`
#[derive(Debug, Args)]
pub struct UnsilenceJob {
    /// The job's name
    #[arg(value_parser = job_name)]
    pub name: JobName,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// `chronode notifications …`
#[derive(Debug, Args)]
pub struct NotificationsCommand {
    /// Only those that stand so
    #[arg(long, value_name = "STATE", value_enum, default_value_t = Wanted::All)]
    pub state: Wanted,
    /// Only those on this channel
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: u16,
}

/// How the messages stand that are asked for.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "camelCase")]
pub enum Wanted {
    /// Held or due
    Pending,
    /// Collects what else happens, to tell all at once
    Held,
    /// Is to be sent, or to be tried again
    Due,
    /// Has arrived
    Delivered,
    /// Did not arrive, and is not tried any more
    GivenUp,
    /// However they stand
    All,
}

impl Wanted {
    /// The word for it, on the command line and in the API.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Due => "due",
            Self::Delivered => "delivered",
            Self::GivenUp => "givenUp",
            Self::All => "all",
        }
    }
}

/// `chronode notify …`
#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// List the channels by which people are told, and whether they work
    Channels,
    /// Send a message that tells of nothing to everybody whom the configuration names; exit with 1 unless all arrive
    Test {
        /// Only on this channel
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Who gets the mail, in place of those whom the configuration names
        #[arg(long, value_name = "ADDRESS")]
        recipient: Option<String>,
    },
    /// Send a message at once that waits to be tried again, or that was given up lately
    Retry {
        /// Its id, as `notifications` prints it
        id: String,
        /// Why
        #[command(flatten)]
        why: Why,
    },
}

/// Lists incidents.
pub(super) fn incidents(
    server: &Server,
    command: &IncidentsCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let IncidentsCommand { job, closed, all, limit } = command;
    let state = match (closed, all) {
        (true, _) => "closed",
        (false, true) => "all",
        (false, false) => "open",
    };
    let mut path = format!("/incidents?state={state}&limit={limit}");
    if let Some(job) = job {
        path.push_str(&format!("&job={}", encode(job.as_str())));
    }
    let page = server.get(&path)?;
    if terminal.json {
        writeln!(terminal.out, "{page}")?;
        return Ok(());
    }
    let row = |incident: &Value| {
        let cell = |key: &str| table::cell(&incident[key]);
        let about = about(incident);
        vec![
            cell("id"),
            cell("state"),
            cell("openedAt"),
            cell("kind"),
            about,
            cell("alerts"),
            told(incident),
        ]
    };
    let rows: Vec<Vec<String>> =
        page["incidents"].as_array().into_iter().flatten().map(row).collect();
    let heads = ["INCIDENT", "STATE", "SINCE", "WHAT", "ABOUT", "ALERTS", "TOLD"];
    table::print(terminal.out, &heads, &rows)?;
    if let (Some(job), Some(until)) = (job, page["silence"]["until"].as_str()) {
        writeln!(terminal.err, "nobody is told of {job} until {}", table::plain(until))?;
    }
    hint_at_more(&page, terminal)
}

/// That a page is not the last one.
fn hint_at_more(page: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if page["next"].is_string() {
        writeln!(terminal.err, "there are more; ask for them with a larger `--limit`")?;
    }
    Ok(())
}

/// The job that an incident belongs to, or what it comes from and which jobs that hits.
fn about(incident: &Value) -> String {
    let key = &incident["key"];
    if key["job"].is_string() {
        return table::cell(&key["job"]);
    }
    let cause = table::cell(&key["cause"]);
    match jobs(incident).as_str() {
        "-" => cause,
        jobs => format!("{cause}: {jobs}"),
    }
}

/// The jobs of an incident or a message.
fn jobs(of: &Value) -> String {
    let names = of["jobs"].as_array().into_iter().flatten().map(table::cell).collect();
    some(names, of["jobsLeftOut"].as_u64().unwrap_or_default())
}

/// Who was told of an incident.
fn told(incident: &Value) -> String {
    some(incident["told"].as_array().into_iter().flatten().map(address).collect(), 0)
}

/// Some of these, and how many more there are.
fn some(mut texts: Vec<String>, left_out: u64) -> String {
    let cut = texts.len().saturating_sub(NAMED_IN_CELL);
    texts.truncate(NAMED_IN_CELL);
    let more = u64::try_from(cut).unwrap_or(u64::MAX).saturating_add(left_out);
    match (texts.as_slice(), more) {
        ([], 0) => "-".to_owned(),
        (texts, 0) => texts.join(", "),
        (texts, more) => format!("{} and {more} more", texts.join(", ")),
    }
}

/// Whom a message goes to: the channel, and the recipient where the channel has several.
fn address(address: &Value) -> String {
    let channel = table::cell(&address["channel"]);
    match address["recipient"].as_str() {
        None | Some("") => channel,
        Some(recipient) => format!("{channel} to {}", table::plain(recipient)),
    }
}

/// Shows an incident, or does something about it.
pub(super) fn incident(
    server: &Server,
    command: &IncidentCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let path = |id: &str, verb: &str| format!("/incident/{}{verb}", encode(id));
    match command {
        IncidentCommand::Show { id } => show(&server.get(&path(id, ""))?, terminal),
        IncidentCommand::Acknowledge(AboutIncident { id, why }) => {
            let answer = server.post_for(&path(id, "/acknowledge"), why.body(json!({})))?;
            let text = format!(
                "{} is looked after: nobody is told of it until it is put right",
                table::cell(&answer["id"])
            );
            tell(&answer, &text, terminal)
        }
        IncidentCommand::Silence { about: AboutIncident { id, why }, length } => {
            let mut fields = json!({});
            length.put_into(&mut fields);
            let answer = server.post_for(&path(id, "/silence"), why.body(fields))?;
            silenced(&answer, "id", terminal)
        }
        IncidentCommand::Unsilence(AboutIncident { id, why }) => {
            let answer = server.post_for(&path(id, "/unsilence"), why.body(json!({})))?;
            unsilenced(&answer, "id", terminal)
        }
    }
}

/// Has nobody told of a job.
pub(super) fn silence_job(
    server: &Server,
    command: &SilenceJob,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let SilenceJob { about: UnsilenceJob { name, why }, length } = command;
    let mut fields = json!({"job": name.as_str()});
    length.put_into(&mut fields);
    silenced(&server.post_for("/silence", why.body(fields))?, "job", terminal)
}

/// Has people told of a job again.
pub(super) fn unsilence_job(
    server: &Server,
    command: &UnsilenceJob,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let UnsilenceJob { name, why } = command;
    let fields = json!({"job": name.as_str()});
    unsilenced(&server.post_for("/unsilence", why.body(fields))?, "job", terminal)
}

fn silenced(answer: &Value, key: &str, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let (of, until) = (table::cell(&answer[key]), table::cell(&answer["silence"]["until"]));
    tell(answer, &format!("nobody is told of {of} until {until}"), terminal)
}

fn unsilenced(answer: &Value, key: &str, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    tell(answer, &format!("people are told of {} again", table::cell(&answer[key])), terminal)
}

fn show(incident: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{incident}")?;
        return Ok(());
    }
    let cell = |key: &str| table::cell(&incident[key]);
    let alerts = match incident["untold"].as_u64() {
        None | Some(0) => cell("alerts"),
        Some(untold) => format!("{}, of which {untold} were not told", cell("alerts")),
    };
    let (acknowledged, silence) = (&incident["acknowledged"], &incident["silence"]);
    let silenced = match silence["until"].as_str() {
        Some(until) => format!("until {}, {}", table::plain(until), intervention(silence)),
        None => "-".to_owned(),
    };
    let facts = [
        ("incident", cell("id")),
        ("what", cell("kind")),
        ("about", about(incident)),
        ("state", cell("state")),
        ("since", cell("openedAt")),
        ("last alert", cell("lastAt")),
        ("closed", cell("closedAt")),
        ("alerts", alerts),
        ("told", told(incident)),
        ("told at", cell("toldAt")),
        ("acknowledged", intervention(acknowledged)),
        ("silenced", silenced),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| value != "-") {
        writeln!(terminal.out, "{name:<13} {value}")?;
    }
    let alert = |alert: &Value| -> Vec<String> {
        ["at", "kind", "job", "run", "reason"].map(|key| table::cell(&alert[key])).into()
    };
    let alerts: Vec<_> = incident["latest"].as_array().into_iter().flatten().map(alert).collect();
    if !alerts.is_empty() {
        writeln!(terminal.out)?;
        table::print(terminal.out, &["ALERT AT", "WHAT", "JOB", "RUN", "REASON"], &alerts)?;
    }
    let messages: Vec<_> =
        incident["notifications"].as_array().into_iter().flatten().map(message).collect();
    if !messages.is_empty() {
        writeln!(terminal.out)?;
        table::print(terminal.out, &MESSAGE_HEADS, &messages)?;
    }
    Ok(())
}

/// Who did something, when and why.
fn intervention(by: &Value) -> String {
    if by.is_null() {
        return "-".to_owned();
    }
    let (who, at) = (table::cell(&by["by"]), table::cell(&by["at"]));
    match table::cell(&by["reason"]).as_str() {
        "-" => format!("by {who} at {at}"),
        reason => format!("by {who} at {at}: {reason}"),
    }
}

const MESSAGE_HEADS: [&str; 8] =
    ["MESSAGE", "STATE", "WHEN", "WHAT", "TO", "JOBS", "TRIES", "PROBLEM"];

fn message(message: &Value) -> Vec<String> {
    let cell = |key: &str| table::cell(&message[key]);
    // When it has become so, or when that changes.
    let at = ["until", "nextTryAt", "deliveredAt", "givenUpAt"].map(|key| &message[key]);
    let at = at.into_iter().find(|at| at.is_string()).unwrap_or(&Value::Null);
    vec![
        cell("id"),
        cell("state"),
        table::cell(at),
        cell("kind"),
        address(message),
        jobs(message),
        cell("tries"),
        cell("problem"),
    ]
}

/// Lists messages.
pub(super) fn notifications(
    server: &Server,
    command: &NotificationsCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let NotificationsCommand { state, channel, limit } = command;
    let mut path = format!("/notifications?state={}&limit={limit}", state.as_str());
    if let Some(channel) = channel {
        path.push_str(&format!("&channel={}", encode(channel)));
    }
    let page = server.get(&path)?;
    if terminal.json {
        writeln!(terminal.out, "{page}")?;
        return Ok(());
    }
    let rows: Vec<_> =
        page["notifications"].as_array().into_iter().flatten().map(message).collect();
    table::print(terminal.out, &MESSAGE_HEADS, &rows)?;
    hint_at_more(&page, terminal)
}

/// Tells of channels, tries them, or has a message sent.
pub(super) fn notify(
    server: &Server,
    command: &NotifyCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    match command {
        NotifyCommand::Channels => channels(&server.get("/channels")?, terminal),
        NotifyCommand::Test { channel, recipient } => {
            let mut fields = json!({});
            for (key, value) in [("channel", channel), ("recipient", recipient)] {
                if let Some(value) = value {
                    fields[key] = value.as_str().into();
                }
            }
            let body = fields.to_string().into_bytes();
            tried(&server.post_patiently("/channels/test", body)?, terminal)
        }
        NotifyCommand::Retry { id, why } => {
            let path = format!("/notification/{}/retry", encode(id));
            let answer = server.post_for(&path, why.body(json!({})))?;
            let text =
                format!("{} is sent at once: {}", table::cell(&answer["id"]), address(&answer));
            tell(&answer, &text, terminal)
        }
    }
}

fn channels(answer: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{answer}")?;
        return Ok(());
    }
    let keys = ["name", "kind", "to", "due", "failingSince", "problem"];
    let row =
        |channel: &Value| -> Vec<String> { keys.map(|key| table::cell(&channel[key])).into() };
    let rows: Vec<_> = answer["channels"].as_array().into_iter().flatten().map(row).collect();
    table::print(
        terminal.out,
        &["CHANNEL", "KIND", "TO", "DUE", "FAILING SINCE", "PROBLEM"],
        &rows,
    )?;
    Ok(())
}

/// What came of each message that was sent to try a channel; fails unless all arrived.
fn tried(answer: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let results = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let missing = results.iter().filter(|result| result["arrived"] != true).count();
    if terminal.json {
        writeln!(terminal.out, "{answer}")?;
    } else {
        for result in results {
            let (what, why) = match result["arrived"].as_bool() {
                Some(true) => ("arrived", table::cell(&result["said"])),
                Some(false) | None => ("did not arrive", table::cell(&result["problem"])),
            };
            writeln!(terminal.out, "{} {what}: {why}", address(result))?;
        }
    }
    if missing == 0 {
        return Ok(());
    }
    let all = results.len();
    Err(CliError::Failed(format!("{missing} of {all} messages did not arrive")))
}
