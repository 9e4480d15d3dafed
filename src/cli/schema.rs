//! `chronode schema`: what may stand in a job file, for editors.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::CliError;
use crate::jobspec::{JobFileKind, job_file_schema};

/// `chronode schema …`
#[derive(Debug, Args)]
pub struct SchemaCommand {
    /// Of which file
    #[arg(value_enum, default_value_t = SchemaKind::Job)]
    pub of: SchemaKind,
}

/// The files of a directory of jobs, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// Job files
    Job,
    /// `_defaults.yaml`
    Defaults,
    /// `_templates.yaml`
    Templates,
}

/// Prints the JSON Schema.
///
/// # Errors
///
/// [`CliError::Output`] if it cannot be written.
pub fn run(command: &SchemaCommand, out: &mut dyn Write) -> Result<(), CliError> {
    let kind = match command.of {
        SchemaKind::Job => JobFileKind::Jobs,
        SchemaKind::Defaults => JobFileKind::Defaults,
        SchemaKind::Templates => JobFileKind::Templates,
    };
    writeln!(out, "{:#}", job_file_schema(kind))?;
    Ok(())
}
