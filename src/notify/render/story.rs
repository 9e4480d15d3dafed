//! What a mail tells, as blocks that are printed one after the other.

use std::collections::BTreeMap;

use super::{body, count, counted, escape, instant, subject};
use crate::model::{
    Alert, AlertJob, AlertKind, AlertRun, Exit, Incident, IncidentKey, JobName, NotificationKind,
};
use crate::notify::{Letter, Tail};

/// How many letters of a foreign text stand in a fact or a row.
const CHARACTERS: usize = 500;

/// How many names are listed.
const NAMES: usize = 20;

/// A piece of a mail. All texts in it are visible, and none is escaped for HTML.
#[derive(Debug)]
pub(super) enum Block {
    /// A paragraph of one sentence or more.
    Said(String),
    /// Lines as they are, in the words of Chronos.
    Lines(String),
    /// Names and what they are.
    Facts(Vec<(&'static str, String)>),
    /// A list of alerts.
    Rows(Vec<Row>),
    /// What was printed.
    Output {
        /// What it is.
        heading: String,
        /// Its lines.
        text: String,
    },
    /// Where to go on.
    Links(Vec<Link>),
    /// Who gets this, and why.
    Foot(String),
}

/// What leads somewhere.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// To what.
    pub(super) label: &'static str,
    /// Where that is.
    pub(super) url: String,
}

/// The alerts of one kind about one job.
#[derive(Debug)]
pub(super) struct Row {
    /// The job, or whatever it is about.
    pub(super) who: String,
    /// What it did.
    pub(super) what: String,
    /// When, the last time.
    pub(super) when: String,
    /// Why, the last time.
    pub(super) why: String,
    /// The last run, or the job.
    path: Option<String>,
    /// Where that is.
    pub(super) url: Option<String>,
}

/// Everything that a mail tells.
pub(super) fn of(letter: &Letter) -> Vec<Block> {
    let mut blocks = Vec::new();
    if letter.is_trial() {
        blocks.push(Block::Said(body::TRIAL.to_owned()));
    } else {
        match (letter.notification.kind, &letter.alerts[..]) {
            (NotificationKind::Alert, [alert]) => of_one(letter, alert, &mut blocks),
            (
                NotificationKind::Alert
                | NotificationKind::Reminder
                | NotificationKind::Digest
                | NotificationKind::Recovery,
                _,
            ) => of_several(letter, &mut blocks),
        }
    }
    blocks.push(Block::Foot(foot(letter)));
    blocks
}

fn of_one(letter: &Letter, alert: &Alert, blocks: &mut Vec<Block>) {
    if let Some(job) = &alert.job
        && alert.kind == AlertKind::Deleted
    {
        blocks.push(Block::Said(format!("Job '{}' was deleted.", job.name)));
    }
    let lines = body::of_alert(alert);
    if !lines.trim().is_empty() {
        blocks.push(Block::Lines(lines.trim().to_owned()));
    }
    let facts = facts(alert);
    if !facts.is_empty() {
        blocks.push(Block::Facts(facts));
    }
    if let Some(next) = next(alert) {
        blocks.push(Block::Said(next));
    }
    blocks.extend(letter.tails.get(&alert.id).and_then(|tail| output(tail, None)));
    let links = links(letter, alert);
    if !links.is_empty() {
        blocks.push(Block::Links(links));
    }
}

fn of_several(letter: &Letter, blocks: &mut Vec<Block>) {
    blocks.push(Block::Said(opening(letter)));
    if let Some(incident) = &letter.incident {
        blocks.push(Block::Facts(facts_of_incident(incident)));
    }
    let mut rows = rows(&letter.alerts);
    for row in &mut rows {
        row.url = row.path.as_ref().and_then(|path| page(letter, path));
    }
    if !rows.is_empty() {
        blocks.push(Block::Rows(rows));
    }
    let told = u64::try_from(letter.alerts.len()).unwrap_or(u64::MAX);
    let more = count(letter).saturating_sub(told);
    if more > 0 {
        let more = counted(more, "more alert is", "more alerts are");
        blocks.push(Block::Said(format!("{more} not listed here.")));
    }
    // The job of a recovery is due next as that of any alert.
    if let (NotificationKind::Recovery, Some(alert)) =
        (letter.notification.kind, letter.alerts.last())
        && let Some(next) = next(alert)
    {
        blocks.push(Block::Said(next));
    }
    for alert in &letter.alerts {
        let name = alert.job.as_ref().map(|job| &job.name);
        blocks.extend(letter.tails.get(&alert.id).and_then(|tail| output(tail, name)));
    }
    if let Some(url) = page(letter, "alerts") {
        blocks.push(Block::Links(vec![Link { label: "Alerts", url }]));
    }
}

/// The first sentence of a letter about several alerts, or about the end of an incident.
pub(super) fn opening(letter: &Letter) -> String {
    let count = count(letter);
    match (letter.notification.kind, &letter.incident) {
        (NotificationKind::Recovery, Some(incident)) => {
            let since = instant(incident.opened_at);
            let alerts = counted(incident.alerts, "alert", "alerts");
            match &incident.key {
                IncidentKey::Job(name) => {
                    format!(
                        "Job '{name}' is right again. It was in trouble since {since}, with {alerts}."
                    )
                }
                IncidentKey::Cause(cause) => format!(
                    "This is right again: {}. It was wrong since {since}, with {alerts}.",
                    escape::cut_line(cause, CHARACTERS)
                ),
            }
        }
        (NotificationKind::Recovery, None) => "What was wrong is right again.".to_owned(),
        (NotificationKind::Reminder, _) => format!(
            "This is still wrong. {} since you were told last:",
            counted(count, "alert has come", "alerts have come")
        ),
        (NotificationKind::Digest, _) => format!(
            "So much happened in a short time that it was kept together: {}.",
            counted(count, "alert", "alerts")
        ),
        (NotificationKind::Alert, _) => format!("{}:", counted(count, "alert", "alerts")),
    }
}

/// What has happened, by job and kind, in the order in which each came first.
pub(super) fn rows(alerts: &[Alert]) -> Vec<Row> {
    let mut places: BTreeMap<(Option<&JobName>, AlertKind), (usize, u64, &Alert)> = BTreeMap::new();
    for (place, alert) in alerts.iter().enumerate() {
        let name = alert.job.as_ref().map(|job| &job.name);
        let (_, times, last) = places.entry((name, alert.kind)).or_insert((place, 0, alert));
        *times += 1;
        *last = alert;
    }
    let mut rows: Vec<_> = places.into_values().collect();
    rows.sort_by_key(|(place, _, _)| *place);
    rows.into_iter().map(|(_, times, last)| row(times, last)).collect()
}

fn row(times: u64, last: &Alert) -> Row {
    let words = subject::in_list(last.kind);
    let at = instant(last.at);
    Row {
        who: last.job.as_ref().map_or_else(|| "scheduler".to_owned(), |job| job.name.to_string()),
        what: if times == 1 { words.to_owned() } else { format!("{words} ({times} times)") },
        when: if times == 1 { at } else { format!("last at {at}") },
        why: escape::cut_line(&last.reason, CHARACTERS),
        path: match (&last.run, &last.job) {
            (Some(run), _) => Some(format!("run/{}", run.id)),
            (None, Some(job)) => Some(format!("job/{}", escape::part(job.name.as_str()))),
            (None, None) => None,
        },
        url: None,
    }
}

fn facts(alert: &Alert) -> Vec<(&'static str, String)> {
    let Alert {
        id: _,       // For programs.
        incident: _, // In the foot.
        kind: _,     // In the subject.
        at: _,       // In the first line.
        job,
        run,
        backfill,
        reason,
        retry_at: _,    // Behind the facts.
        next_due_at: _, // Likewise.
    } = alert;
    let mut facts = Vec::new();
    if !reason.is_empty() {
        facts.push(("What", escape::cut(&sentence(reason), CHARACTERS)));
    }
    if let Some(job) = job {
        facts.push(("Job", job.name.to_string()));
    }
    if let Some(run) = run {
        facts_of_run(run, job.as_deref(), &mut facts);
    }
    if let Some(backfill) = backfill {
        facts.push(("Backfill", backfill.to_string()));
    }
    if let Some(job) = job {
        if !job.owner.trim().is_empty() {
            facts.push(("Owner", escape::cut_line(&job.owner, CHARACTERS)));
        }
        // What is no address of the web is shown, and leads nowhere.
        if !job.runbook.trim().is_empty() && !escape::is_link(job.runbook.trim()) {
            facts.push(("Runbook", escape::cut_line(&job.runbook, CHARACTERS)));
        }
    }
    facts
}

fn facts_of_run(run: &AlertRun, job: Option<&AlertJob>, facts: &mut Vec<(&'static str, String)>) {
    let AlertRun { id, due_at, attempt, task_id: _, started_at, ended_at, exit, message: _ } = run;
    facts.push(("Run", id.to_string()));
    let zone = job.map_or("", |job| job.zone.as_str());
    let zone = match zone {
        "" | "UTC" => String::new(),
        zone => format!(" (scheduled in {})", escape::cut_line(zone, CHARACTERS)),
    };
    facts.push(("Due", format!("{}{zone}", instant(*due_at))));
    if let Some(attempt) = attempt {
        let number = u64::from(*attempt) + 1;
        let of = job
            .and_then(|job| u64::try_from(job.retries).ok())
            .map(|retries| retries.saturating_add(1))
            // Somebody may have given it fewer meanwhile.
            .filter(|of| *of >= number);
        let of = of.map_or(String::new(), |of| format!(" of {of}"));
        facts.push(("Attempt", format!("{number}{of}")));
    }
    if let Some(started_at) = started_at {
        facts.push(("Started", instant(*started_at)));
    }
    if let Some(ended_at) = ended_at {
        facts.push(("Ended", instant(*ended_at)));
    }
    if let Some(exit) = exit {
        facts.push(("Exit", told(exit)));
    }
}

fn told(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::Killed => "stopped on request".to_owned(),
        Exit::Failed { reason } | Exit::CouldNotStart { reason } => {
            escape::cut_line(reason, CHARACTERS)
        }
    }
}

fn facts_of_incident(incident: &Incident) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    match &incident.key {
        IncidentKey::Job(name) => facts.push(("Job", name.to_string())),
        IncidentKey::Cause(cause) => facts.push(("Cause", escape::cut_line(cause, CHARACTERS))),
    }
    facts.push(("Since", instant(incident.opened_at)));
    facts.push(("Alerts", incident.alerts.to_string()));
    if let Some(closed_at) = incident.closed_at {
        facts.push(("Until", instant(closed_at)));
    } else if let (IncidentKey::Cause(_), false) = (&incident.key, incident.jobs.is_empty()) {
        let names: Vec<&str> = incident.jobs.iter().take(NAMES).map(JobName::as_str).collect();
        let more = match incident.jobs.len().saturating_sub(NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        facts.push(("Jobs", format!("{}{more}", names.join(", "))));
    }
    facts
}

/// What happens next, if that is known.
fn next(alert: &Alert) -> Option<String> {
    let again = alert.retry_at.map(|at| format!("It is tried again at {}.", instant(at)));
    let due = alert.next_due_at.map(|at| format!("The job is due next at {}.", instant(at)));
    let not_again = (alert.kind == AlertKind::Failed && again.is_none())
        .then(|| "This run is not tried again.".to_owned());
    let said: Vec<String> = [again.or(not_again), due].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What was printed, if it was anything.
fn output(tail: &Tail, of: Option<&JobName>) -> Option<Block> {
    let Tail { stream, text, is_cut } = tail;
    let text = escape::lines(text.trim_end());
    if text.trim().is_empty() {
        return None;
    }
    let of = of.map_or(String::new(), |name| format!(" of job '{name}'"));
    let what = if *is_cut { "The last lines" } else { "All" };
    Some(Block::Output { heading: format!("{what} that went to {stream}{of}"), text })
}

fn links(letter: &Letter, alert: &Alert) -> Vec<Link> {
    let mut links = Vec::new();
    let mut add = |label, path: &str| {
        if let Some(url) = page(letter, path) {
            links.push(Link { label, url });
        }
    };
    if let Some(run) = &alert.run {
        add("Run", &format!("run/{}", run.id));
        if run.attempt.is_some() {
            add("Log", &format!("run/{}?tab=log", run.id));
        }
    }
    if let Some(job) = &alert.job {
        if alert.kind != AlertKind::Deleted {
            add("Job", &format!("job/{}", escape::part(job.name.as_str())));
        }
        if escape::is_link(job.runbook.trim()) {
            links.push(Link { label: "Runbook", url: job.runbook.trim().to_owned() });
        }
    } else {
        add("Alerts", "alerts");
    }
    links
}

/// The address of a view of the page, if it is known where that is.
pub(super) fn page(letter: &Letter, path: &str) -> Option<String> {
    let base = letter.base_url.as_deref()?.trim().trim_end_matches('/');
    escape::is_link(base).then(|| format!("{base}/#/{path}"))
}

fn foot(letter: &Letter) -> String {
    let id = if letter.is_trial() {
        "A test".to_owned()
    } else {
        let incident = letter
            .notification
            .incident
            .map_or(String::new(), |id| format!(" about incident {id}"));
        format!("Notification {}{incident}", letter.notification.id)
    };
    let cluster = escape::cut_line(letter.cluster_name.trim(), CHARACTERS);
    let by =
        if cluster.is_empty() { "Chronode".to_owned() } else { format!("Chronode ({cluster})") };
    let to = escape::cut_line(&letter.notification.to.recipient, CHARACTERS);
    if to.is_empty() { format!("{id}, from {by}.") } else { format!("{id}, from {by} to {to}.") }
}

/// A reason as a sentence.
pub(super) fn sentence(reason: &str) -> String {
    let reason = escape::line(reason.trim());
    let mut letters = reason.chars();
    let Some(first) = letters.next() else { return String::new() };
    let end = if reason.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}
