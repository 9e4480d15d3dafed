//! What can be said about a configuration without starting anything; and `chronode config`.

use std::io::Write;
use std::path::Path;

use clap::Subcommand;

use super::{channels, cluster, job_files, logging, machine};
use crate::alerts::Terms;
use crate::config::{Config, Problems, Resolution, Typed, program_environment};
use crate::mesos::transport::Access;
use crate::notify::Channel;
use crate::schedule::{HOST_ZONES, ZoneDb};
use crate::web::Site;

/// `chronode config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Print every option of `serve` with its value and where it came from, as a file that --config reads
    Show(Typed),
    /// Say everything that is wrong with the options of `serve`, without starting it
    Check(Typed),
}

/// A configuration with which a start can be tried.
pub(super) struct Checked {
    pub(super) config: Config,
    pub(super) zones: ZoneDb,
    pub(super) site: Site,
    /// What is shown to masters and agents, as it was read from its files; nothing without a cluster.
    pub(super) access: Access,
    /// The ways in which somebody is told, with what was read from their files.
    pub(super) channels: Vec<Channel>,
    /// On which terms people are told.
    pub(super) terms: Terms,
}

/// Looks for everything that would be refused at the start.
///
/// # Errors
///
/// All that is wrong.
pub(super) fn check(resolution: &Resolution) -> Result<Checked, Problems> {
    let (config, mut problems) = resolution.config(&machine::hostname());
    let Some(config) = config else { return Problems::or(problems, None) };
    if let Err(expected) = logging::filter(&config.log_level) {
        problems.push(resolution.sentence("log_level", &config.log_level, &expected));
    }
    if let Some(jobs) = &config.jobs
        && let Err(problem) = job_files::check(jobs, config.is_pruning)
    {
        problems.push(format!("{}: {problem}", resolution.place("jobs")));
    }
    let site = match &config.web_dir {
        None => Site::built_in(),
        Some(folder) => Site::of_folder(folder).unwrap_or_else(|error| {
            let expected = "give a directory with the page's `index.html`";
            let problem = format!("{error}: {expected}");
            problems.push(resolution.sentence("web_dir", &folder.display().to_string(), &problem));
            Site::built_in()
        }),
    };
    let access = config.mesos.as_ref().map_or_else(Access::default, |mesos| {
        cluster::access(mesos).unwrap_or_else(|error| {
            problems.push(error.to_string());
            Access::default()
        })
    });
    let surroundings = channels::Surroundings {
        hostname: &config.hostname,
        environment: program_environment(),
        place: &|place| resolution.place_of(place),
    };
    let channels = channels::open(&config.notifications, &surroundings).unwrap_or_else(|found| {
        problems.extend(found);
        Vec::new()
    });
    let mut terms = channels::terms(&config.notifications);
    // What a message tells of is kept as long as the history.
    terms.give_up_after = terms.give_up_after.min(config.history.age);
    let zones = ZoneDb::choose(&config.zone_data, Path::new(HOST_ZONES)).map_err(|error| {
        let place = resolution.place("zone_data");
        problems.push(format!("{place}: {error}, or give `newest` or `bundled`"));
    });
    let checked = |zones| Checked { config, zones, site, access, channels, terms };
    Problems::or(problems, zones.ok().map(checked))
}

/// Runs `chronode config`.
///
/// # Errors
///
/// All that is wrong with the configuration, after what could be printed of it; or that nothing can be printed.
pub fn run(command: ConfigCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Show(typed) => {
            let resolution = typed.resolve();
            resolution.print(out)?;
            check(&resolution)?;
        }
        ConfigCommand::Check(typed) => {
            let resolution = typed.resolve();
            for warning in resolution.warnings() {
                writeln!(out, "warning: {warning}")?;
            }
            check(&resolution)?;
            writeln!(out, "the configuration is right")?;
        }
    }
    Ok(())
}
