//! The command line: flags → work → exit code. The only place that ends the process.
//!
//! Exit codes: 0 done, 1 it could not be done (the reason is on standard error), 2 the command line is wrong.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Context;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use chronode::app::{
    self, backup::BackupFlags, configuration::ConfigCommand, credential::CredentialFlags,
    first_process,
};
use chronode::cli::CliError;
use chronode::cli::client::{self, ClientCommand};
use chronode::cli::schema::{self, SchemaCommand};
use chronode::cli::validate::{self, ValidateCommand};
use chronode::config::Typed;
use chronode::launcher::local::{fetch, keeper};
use chronode::schedule::ZoneDb;

/// A distributed cron: runs commands on time and never loses or doubles a run
#[derive(Debug, Parser)]
#[command(name = "chronode", version = version(), about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the scheduler: load jobs, start them on time, serve the REST API
    Serve(Box<Typed>),
    /// Look at the options of `serve` from all their sources, without starting it
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(flatten)]
    Client(Box<ClientCommand>),
    /// Tell what is wrong with job files, each with file, line and remedy; needs no server
    Validate(ValidateCommand),
    /// Print the JSON Schema of job files, for editors
    Schema(SchemaCommand),
    /// Copy the state of a data directory into one file, also while the scheduler runs
    Backup(BackupFlags),
    /// Say who is let in, in a file that `serve --credentials` reads
    Credential(CredentialFlags),
    /// Print what makes a shell complete the words of this program
    ///
    /// For bash: chronode completion bash > /etc/bash_completion.d/chronode
    ///
    /// For zsh: chronode completion zsh > "${fpath[1]}/_chronode"
    ///
    /// For fish: chronode completion fish > ~/.config/fish/completions/chronode.fish
    #[command(verbatim_doc_comment)]
    Completion {
        /// Which shell
        shell: Shell,
    },
    /// Start commands for a scheduler; started by `serve`, not by people
    #[command(hide = true)]
    Keeper {
        /// The data directory.
        data: PathBuf,
    },
    /// Download what a job needs; started by the keeper, not by people
    #[command(hide = true)]
    Fetch,
}

/// The version of the program and of the zone data in it: a job's instants depend on both.
fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let zones = ZoneDb::bundled_version();
        format!("{} (zone data {zones} bundled)", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(_) if first_process::is_first() => serve_as_first(),
        Command::Serve(typed) => done(serve(*typed)),
        Command::Config(command) => {
            done(app::configuration::run(command, &mut std::io::stdout().lock()))
        }
        Command::Client(command) => client(*command),
        Command::Validate(command) => ended(validate::run(&command, &mut std::io::stdout().lock())),
        Command::Schema(command) => ended(schema::run(&command, &mut std::io::stdout().lock())),
        Command::Backup(flags) => done(app::backup::run(&flags, &mut std::io::stdout().lock())),
        Command::Credential(flags) => done(app::credential::run(
            &flags,
            &mut std::io::stdin().lock(),
            &mut std::io::stdout().lock(),
            &mut std::io::stderr().lock(),
        )),
        Command::Completion { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "chronode", &mut text);
            done(std::io::stdout().lock().write_all(&text).map_err(Into::into))
        }
        Command::Keeper { data } => done(keeper::run(&data).map_err(Into::into)),
        Command::Fetch => match fetch::run() {
            Ok(never) => match never {},
            // It has been told to the keeper and to the run's stderr.
            Err(_) => ExitCode::FAILURE,
        },
    }
}

fn executable() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find out which program this is")
}

fn serve_as_first() -> ExitCode {
    executable().and_then(|executable| first_process::run(&executable)).unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

fn serve(typed: Typed) -> anyhow::Result<()> {
    let executable = executable()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads of the scheduler")?;
    runtime.block_on(app::serve(typed.resolve(), executable))
}

fn client(command: ClientCommand) -> ExitCode {
    let result = {
        let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
        client::run(command, &mut out, &mut err)
    };
    ended(result)
}

fn ended(result: Result<(), CliError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_closed_pipe() {
                complain(&error.to_string());
            }
            error.exit_code()
        }
    }
}

fn done(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command that could not be done")]
fn complain(message: &str) {
    eprintln!("chronode: {message}");
}
