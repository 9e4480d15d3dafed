//! The program.

use std::path::Path;
use std::process::ExitCode;

use chronode::launcher::local::{fetch, keeper};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let subcommand = arguments.next().unwrap_or_default();
    match (subcommand.to_str(), arguments.next()) {
        (Some("keeper"), Some(data_dir)) => match keeper::run(Path::new(&data_dir)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error:?}");
                ExitCode::FAILURE
            }
        },
        (Some("fetch"), None) => match fetch::run() {
            Ok(never) => match never {},
            // It has been told to the keeper and to the run's stderr.
            Err(_) => ExitCode::FAILURE,
        },
        _ => ExitCode::FAILURE,
    }
}
