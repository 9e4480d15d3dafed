//! The command line: flags → work → exit code. The only place that ends the process.
//!
//! Exit codes: 0 done, 1 it could not be done (the reason is on standard error), 2 the command line is wrong.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use chronode::app;
use chronode::cli::client::{self, JobCommand, LogsCommand, RunCommand};
use chronode::config::ServeFlags;
use chronode::launcher::local::{fetch, keeper};

/// A distributed cron: runs commands on time, chains them, and never loses or doubles a run.
#[derive(Debug, Parser)]
#[command(name = "chronode", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the scheduler: load jobs, start them on time, serve the REST API
    Serve(Box<ServeFlags>),
    /// List, show, create, run, stop and delete jobs of a running scheduler
    #[command(subcommand)]
    Job(JobCommand),
    /// List and show runs
    #[command(subcommand)]
    Run(RunCommand),
    /// Show the output of a run
    Logs(LogsCommand),
    /// Copy the state of a data directory into one file, also while the scheduler runs
    Backup(app::backup::BackupFlags),
    /// Start commands for a scheduler; started by `serve`, not by people
    #[command(hide = true)]
    Keeper(keeper::KeeperFlags),
    /// Download what a job needs; started by the keeper, not by people
    #[command(hide = true)]
    Fetch,
}
