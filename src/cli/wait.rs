//! Waiting for a run: what it writes as it comes, then how it ended.

use serde_json::Value;

use super::client::Terminal;
use super::http::{Server, encode};
use super::{CliError, logs, table};

/// Copies what a run writes until it has ended.
///
/// # Errors
///
/// [`CliError::Ended`] of a run that did not succeed.
pub(super) fn wait(server: &Server, id: &str, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let id = encode(id);
    // Following ends when the run has ended and everything it wrote has been sent: no need to ask again and again.
    logs::copy(server, &format!("/run/{id}/stdout?follow=true"), terminal.out)?;
    let run = server.get(&format!("/run/{id}"))?;
    match logs::copy(server, &format!("/run/{id}/stderr"), terminal.err) {
        // A run that never began has written nothing; how it ended is worth more.
        Ok(()) | Err(CliError::Failed(_)) => {}
        Err(error) => return Err(error),
    }
    if run["verdict"] == "succeeded" {
        return Ok(());
    }
    let reason = table::cell(&run["reason"]);
    let message =
        format!("run {} {}: {reason}", table::cell(&run["id"]), table::cell(&run["verdict"]));
    Err(CliError::Ended { message, code: code(&run) })
}

/// What the last attempt ended with.
fn code(run: &Value) -> u8 {
    let attempts = run["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let exit = attempts.last().map_or(&Value::Null, |attempt| &attempt["exit"]);
    let number = |key: &str| exit[key].as_u64().and_then(|number| u8::try_from(number).ok());
    let code = match (number("code"), number("signal")) {
        (Some(code), _) => code,
        (None, Some(signal)) => signal.saturating_add(128),
        (None, None) => 1,
    };
    // Whatever its command said, the run did not succeed.
    code.max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_code_is_that_of_the_last_attempt() {
        for (exits, expected) in [
            (json!([{"exit": {"code": 1}}, {"exit": {"code": 7}}]), 7),
            (json!([{"exit": {"signal": 9}}]), 137),
            (json!([{"exit": {"code": 0}}]), 1),
            (json!([{"exit": {"couldNotStart": "no such file"}}]), 1),
            (json!([{"exit": null}]), 1),
            (json!([]), 1),
        ] {
            assert_eq!(code(&json!({"attempts": exits})), expected, "{exits}");
        }
    }
}
