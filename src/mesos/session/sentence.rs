//! What is said of a subscription that is not to be: the master's own sentence, and what to do about it.

/// Who logs in, for the sentences. The secret is not known here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub principal: Option<String>,
    /// Whether a secret is shown with it.
    pub has_secret: bool,
}

/// How much of what a master says is repeated.
const MESSAGE_MAX: usize = 500;

const NAME_LOGIN: &str =
    "`--mesos_authentication_principal` and `--mesos_authentication_secret_file`";

/// A status that is neither good nor a redirect nor for later.
pub(super) fn refusal(at: String, status: u16, message: &str, login: &Login) -> String {
    let said = quoted(message);
    match (status, login) {
        (401, Login { principal: Some(name), has_secret: true }) => format!(
            "the master at {at} does not take the login of `{}`{said}: let `--mesos_authentication_secret_file` and the \
             master's `--credentials` agree",
            name.escape_debug()
        ),
        (401, Login { .. }) => {
            format!("the master at {at} wants a login{said}: give it with {NAME_LOGIN}")
        }
        (403, Login { .. }) => format!(
            "the master at {at} does not permit it{said}: let its ACLs (`register_frameworks`) permit the principal and \
             the roles of `--mesos_role`"
        ),
        (404 | 405, Login { .. }) => format!(
            "what answers at {at} has no scheduler API{said}: is that a Mesos master, of 1.0 or later?"
        ),
        (406 | 415, Login { .. }) => format!(
            "the master at {at} does not take JSON{said}: does a proxy before it change headers?"
        ),
        (status, Login { .. }) => {
            format!("the master at {at} answers {status}{said}{}", remedy(message))
        }
    }
}

/// A 503 and its like: the master may be better soon.
pub(super) fn unready(at: String, status: u16, message: &str) -> String {
    format!("the master at {at} cannot serve us now, it answers {status}{}", quoted(message))
}

/// The answer was 200, but not of a master.
pub(super) fn no_stream(at: String) -> String {
    format!(
        "what answers at {at} gives no `Mesos-Stream-Id`: is that a Mesos master, of 1.0 or later?"
    )
}

/// ERROR.
pub(super) fn error(at: &str, message: &str) -> String {
    format!("the master at {at} has ended the subscription{}{}", quoted(message), remedy(message))
}

/// Another process took the framework.
pub(super) fn deposed(framework_id: &str) -> String {
    format!(
        "another process has subscribed as framework `{}`: this one stays off, so that they do not take it from each \
         other; stop the other one and start this one again, or give each its own data directory",
        framework_id.escape_debug()
    )
}

/// The id is of no use any more.
pub(super) fn removed(framework_id: &str) -> String {
    format!(
        "the master has removed framework `{}` with its tasks, for it was torn down or away for longer than \
         `--failover_timeout`; a new one takes its place",
        framework_id.escape_debug()
    )
}

/// The master's own words, in one line of bearable length.
fn quoted(message: &str) -> String {
    let plain = message.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = plain.take(MESSAGE_MAX).collect();
    if plain.is_empty() { plain } else { format!(" (\"{plain}\")") }
}

/// What to look at, by what the sentence is about.
fn remedy(message: &str) -> &'static str {
    let has = |part: &str| message.contains(part);
    if has("principal") || has("Principal") {
        ": let `--mesos_authentication_principal` be the name that logs in"
    } else if has("role") {
        ": correct `--mesos_role`"
    } else if has("user") {
        ": give `--user`"
    } else if has("authorized") {
        ": let the master's ACLs permit this framework"
    } else {
        ""
    }
}
