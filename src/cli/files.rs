//! `chronode run files` and `chronode run file`: what an attempt left beside what it wrote to its streams.

use clap::Args;
use serde_json::Value;

use super::client::Terminal;
use super::http::{Server, encode};
use super::{CliError, logs, table};

/// `chronode run files …`
#[derive(Debug, Args)]
pub struct FilesCommand {
    /// The run's id
    pub id: String,
    /// The directory, from the attempt's own; that one by default
    #[arg(default_value = "", hide_default_value = true)]
    pub path: String,
    /// Which attempt, counted from 0; the latest if not given
    #[arg(long, value_name = "N")]
    pub attempt: Option<u32>,
}

/// `chronode run file …`
#[derive(Debug, Args)]
pub struct FileCommand {
    /// The run's id
    pub id: String,
    /// The file, as `run files` prints it
    pub path: String,
    /// Which attempt, counted from 0; the latest if not given
    #[arg(long, value_name = "N")]
    pub attempt: Option<u32>,
}

fn query(path: &str, attempt: Option<u32>) -> String {
    let attempt = attempt.map(|attempt| format!("&attempt={attempt}")).unwrap_or_default();
    format!("?path={}{attempt}", encode(path))
}

/// Lists files.
pub(super) fn list(
    server: &Server,
    command: &FilesCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let FilesCommand { id, path, attempt } = command;
    let told = server.get(&format!("/run/{}/files{}", encode(id), query(path, *attempt)))?;
    if terminal.json {
        writeln!(terminal.out, "{told}")?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = told["files"].as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        writeln!(terminal.out, "there are no files")?;
        return Ok(());
    }
    table::print(terminal.out, &["MODE", "OWNER", "BYTES", "MODIFIED", "PATH"], &rows)?;
    Ok(())
}

fn row(file: &Value) -> Vec<String> {
    let is_directory = file["directory"] == true;
    let path = table::cell(&file["path"]);
    vec![
        table::cell(&file["mode"]),
        table::cell(&file["owner"]),
        if is_directory { "-".to_owned() } else { table::cell(&file["size"]) },
        table::cell(&file["modifiedAt"]),
        if is_directory { format!("{path}/") } else { path },
    ]
}

/// Prints a file, byte for byte.
pub(super) fn print(
    server: &Server,
    command: &FileCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let FileCommand { id, path, attempt } = command;
    let path = format!("/run/{}/file{}", encode(id), query(path, *attempt));
    logs::copy(server, &path, terminal.out)
}
