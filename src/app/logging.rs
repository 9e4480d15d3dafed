//! The log on standard error: for people, or one JSON object a line.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogForm;

/// Sets the log up, once for the process.
///
/// # Errors
///
/// If `filter` cannot be read.
pub(super) fn init(form: LogForm, filter: &str) -> anyhow::Result<()> {
    let filter = self::filter(filter).map_err(anyhow::Error::msg)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = match form {
        LogForm::Auto => {
            log.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
        }
        LogForm::Human => log.with_ansi(false).with_target(false).try_init(),
        LogForm::Json => log.json().flatten_event(true).try_init(),
    };
    set.map_err(|error| anyhow::anyhow!("cannot set up the log: {error}"))
}

/// What is logged.
///
/// # Errors
///
/// What would be right.
pub(super) fn filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text)
        .map_err(|error| format!("write `info` or `chronode=debug,warn`: {error}"))
}
