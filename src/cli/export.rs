//! `chronode export …`: jobs as another scheduler takes them, and what of them is lost.

use std::io;
use std::path::Path;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::Terminal;
use super::http::{Server, encode};
use super::{CliError, private, table};
use crate::clock;
use crate::migration::chronos::{self, Export, Exported};
use crate::migration::{Finding, Weight, crontab, file_name, is_selected};
use crate::model::{Dialect, whole_millis};
use crate::schedule::{HOST_ZONES, ZoneChoice, ZoneDb};

/// `chronode export …`
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// As bodies that a Chronos accepts, in the order in which it must get them
    Chronos {
        /// For which generation of Chronos: 0 is 2.x, v1 is 3.x
        #[arg(long, value_enum, default_value_t = Door::New)]
        dialect: Door,
        /// A file for each body into this directory; `-` prints a line for each
        #[arg(long, value_name = "DIR|-", default_value = "-")]
        out: String,
        /// Only jobs whose name fits; `*` is anything, `?` one character
        #[arg(long, value_name = "PATTERN", default_value = "*")]
        only: String,
        /// Time zone data to calculate with, as for `serve`
        #[arg(
            long = "zone_data",
            alias = "zone-data",
            value_name = "newest|bundled|DIR",
            env = "CHRONODE_ZONE_DATA",
            default_value = "newest"
        )]
        zone_data: String,
    },
    /// As a table of cron, for `/etc/cron.d` or for a user
    Crontab {
        /// The zone of the machine's clock, which is all that cron goes by
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        zone: String,
        /// The machine that the table is for: jobs that are bound to another one are left out
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
        /// Who runs jobs that name nobody
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// Make the table of this user, as `crontab FILE` takes it, instead of one whose lines name their users
        #[arg(long, value_name = "USER", conflicts_with = "user")]
        table: Option<String>,
        /// Where the table goes; `-` prints it
        #[arg(long, value_name = "FILE|-", default_value = "-")]
        out: String,
        /// Only jobs whose name fits; `*` is anything, `?` one character
        #[arg(long, value_name = "PATTERN", default_value = "*")]
        only: String,
    },
}

/// Generations of Chronos, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Door {
    /// 2.x.
    #[value(name = "0", alias = "v0")]
    Old,
    /// 3.x.
    #[value(name = "v1", alias = "1")]
    New,
}

impl Door {
    const fn dialect(self) -> Dialect {
        match self {
            Self::Old => Dialect::V0,
            Self::New => Dialect::V1,
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Old => "/scheduler",
            Self::New => "/v1/scheduler",
        }
    }
}

/// Carries out the command.
pub(super) fn run(
    server: &Server,
    command: &ExportCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    match command {
        ExportCommand::Chronos { dialect, out, only, zone_data } => {
            to_chronos(server, *dialect, out, only, zone_data, terminal)
        }
        ExportCommand::Crontab { zone, host, user, table, out, only } => {
            let target = crontab::Target {
                is_system: table.is_none(),
                user: table.as_deref().or(user.as_deref()),
                host: host.as_deref(),
                zone,
            };
            to_crontab(server, &target, out, only, terminal)
        }
    }
}

fn to_crontab(
    server: &Server,
    target: &crontab::Target<'_>,
    out: &str,
    only: &str,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let jobs = read(server, Door::Old, only)?;
    let (text, told) = crontab::export(&jobs, target);
    let rows: Vec<Row<'_>> = told
        .iter()
        .map(|job| Row { name: &job.name, weight: job.weight(), findings: &job.findings })
        .collect();
    if terminal.json {
        let list = told.iter().map(|job| {
            json!({
                "name": job.name,
                "verdict": job.weight().as_str(),
                "line": job.line,
                "findings": job.findings.iter().map(|it| it.to_json("cron")).collect::<Vec<_>>(),
            })
        });
        writeln!(terminal.out, "{}", json!({"table": text, "jobs": list.collect::<Vec<_>>()}))?;
    } else if out == "-" {
        write!(terminal.out, "{text}")?;
    }
    if out != "-" {
        private::write(Path::new(out), &text)
            .map_err(|error| CliError::Failed(format!("cannot write `{out}`: {error}")))?;
    }
    if !terminal.json {
        tell(&rows, "cron", terminal)?;
    }
    verdict(&rows)
}

fn to_chronos(
    server: &Server,
    dialect: Door,
    out: &str,
    only: &str,
    zone_data: &str,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let zones = ZoneDb::choose(&ZoneChoice::parse(zone_data), Path::new(HOST_ZONES))
        .map_err(|error| CliError::Usage(format!("--zone_data: {error}")))?;
    let jobs = read(server, dialect, only)?;
    let now = whole_millis(clock::wall());
    let export = chronos::export(&jobs, dialect.dialect(), now, &zones);
    if terminal.json {
        writeln!(terminal.out, "{}", to_json(&export))?;
    } else if out == "-" {
        for job in &export.jobs {
            if let Some(body) = &job.body {
                let line = json!({"method": "POST", "endpoint": job.endpoint, "body": body});
                writeln!(terminal.out, "{line}")?;
            }
        }
    }
    if out != "-" {
        let directory = Path::new(out);
        write(directory, &export).map_err(|error| {
            CliError::Failed(format!("cannot write into `{}`: {error}", directory.display()))
        })?;
    }
    let rows: Vec<Row<'_>> = export
        .jobs
        .iter()
        .map(|job| Row { name: &job.name, weight: job.weight(), findings: &job.findings })
        .collect();
    if !terminal.json {
        tell(&rows, "Chronos", terminal)?;
    }
    verdict(&rows)
}

/// A job as it is told of.
struct Row<'a> {
    name: &'a str,
    weight: Weight,
    findings: &'a [Finding],
}

/// Whether everything could be exported.
fn verdict(rows: &[Row<'_>]) -> Result<(), CliError> {
    match rows.iter().filter(|row| row.weight == Weight::NotCarried).count() {
        0 => Ok(()),
        1 => Err(CliError::Failed("1 job cannot be exported; it is said above why".to_owned())),
        count => {
            Err(CliError::Failed(format!("{count} jobs cannot be exported; it is said above why")))
        }
    }
}

/// The jobs as that door prints them.
fn read(server: &Server, door: Door, only: &str) -> Result<Vec<Value>, CliError> {
    let prefix = door.prefix();
    let list = server.get_at(&format!("{prefix}/jobs"))?;
    let mut jobs = Vec::new();
    for job in list.as_array().into_iter().flatten() {
        let name = job["name"].as_str().unwrap_or_default();
        if !is_selected(only, name) {
            continue;
        }
        // The list shows `fetch` and `uris` as copies of each other; the job itself has one of them.
        let has_downloads = job["uris"].as_array().is_some_and(|uris| !uris.is_empty());
        jobs.push(if has_downloads {
            server.get_at(&format!("{prefix}/job/{}", encode(name)))?
        } else {
            job.clone()
        });
    }
    Ok(jobs)
}

/// Files whose names tell order and endpoint, and the report.
fn write(directory: &Path, export: &Export) -> io::Result<()> {
    private::create_directory(directory)?;
    let bodies = export.jobs.iter().filter_map(|job| Some((job, job.body.as_ref()?)));
    for (index, (job, body)) in bodies.enumerate() {
        let kind = job.endpoint.rsplit('/').next().unwrap_or_default();
        let name = file_name(&job.name);
        let name = name.strip_suffix(".yaml").unwrap_or(&name);
        let path = directory.join(format!("{:05}-{kind}-{name}.json", index + 1));
        private::write(&path, &format!("{}\n", Value::Object(body.clone())))?;
    }
    private::write(&directory.join("export-report.json"), &format!("{:#}\n", to_json(export)))
}

fn to_json(export: &Export) -> Value {
    let job = |job: &Exported| {
        json!({
            "name": job.name,
            "verdict": job.weight().as_str(),
            "method": "POST",
            "endpoint": job.endpoint,
            "body": job.body,
            "findings": job.findings.iter().map(|it| it.to_json("chronos")).collect::<Vec<_>>(),
        })
    };
    json!({"jobs": export.jobs.iter().map(job).collect::<Vec<_>>()})
}

/// What is lost goes to where people look, and not between the bodies.
fn tell(rows: &[Row<'_>], other: &str, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let err = &mut *terminal.err;
    for row in rows.iter().filter(|row| !row.findings.is_empty()) {
        let word = match row.weight {
            Weight::Same => "identical",
            Weight::Changes => "changes meaning",
            Weight::NotCarried => "cannot be exported",
        };
        writeln!(err, "{}: {word}", table::plain(row.name))?;
        for finding in row.findings {
            let Finding { field, there, chronode, why, remedy, weight: _ } = finding;
            let field = if field.is_empty() { "job" } else { field };
            let text = format!("{field}: Chronode {chronode}; {other} {there}");
            writeln!(err, "  {}", table::plain(&text))?;
            if !why.is_empty() {
                writeln!(err, "    why: {}", table::plain(why))?;
            }
            if !remedy.is_empty() {
                writeln!(err, "    to do: {}", table::plain(remedy))?;
            }
        }
    }
    Ok(())
}
