//! `chronode health`: whether a server answers and decides, for whoever restarts it if not.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::CliError;
use super::client::Terminal;
use super::http::Server;

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "Exit codes: 0 healthy, 1 not healthy (the reason is on standard error), 2 the \
command line is wrong.\n\nExamples:\n  chronode health\n  chronode health --server https://cron.example:8443 --ca_file \
/etc/chronode/ca.pem --timeout 2";

/// `chronode health …`
#[derive(Debug, Args)]
pub struct HealthCommand {
    /// Seconds that the answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub timeout: u16,
}

/// Carries out `health`.
pub(super) fn health(
    server: &Server,
    command: &HealthCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    server.ping(Duration::from_secs(command.timeout.into()))?;
    if terminal.json {
        writeln!(terminal.out, "{}", json!({"healthy": true, "server": server.shown()}))?;
    } else {
        writeln!(terminal.out, "{} is healthy", server.shown())?;
    }
    Ok(())
}
