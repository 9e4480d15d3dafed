//! A letter as a mail.

use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use ring::digest;

use super::{escape, hex, html, mail_subject, text};
use crate::model::millis_since_epoch;
use crate::notify::Letter;

/// How long a mailbox may be, so that no header grows without end.
const MAILBOX_BYTES: usize = 400;

/// Reads an address, with or without a name before it.
///
/// # Errors
///
/// Words that say why it is none, to put after “because”.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let text = text.trim();
    if text.len() > MAILBOX_BYTES {
        return Err(format!("it is longer than {MAILBOX_BYTES} bytes"));
    }
    // Whoever reads addresses is lenient about folded lines, and those could go on as another header.
    if escape::line(text) != text {
        return Err("it has control characters or invisible ones in it".to_owned());
    }
    // Whoever reads the mail would decode it, into whatever somebody wrote there.
    if text.contains("=?") {
        return Err("it has an encoded word (`=?`) in it".to_owned());
    }
    text.parse().map_err(|_| "it is no mail address".to_owned())
}

/// The mail, as it is handed to a server.
///
/// # Errors
///
/// Words that say why there is none.
pub(crate) fn mail(letter: &Letter, from: &Mailbox, to: &Mailbox) -> Result<Vec<u8>, String> {
    let host = host_part(&letter.host);
    let (plain, html) = (text(letter), html(letter));
    let alternatives = MultiPart::builder()
        .header(ContentType::parse("multipart/alternative").map_err(|error| error.to_string())?)
        .boundary(boundary(&plain, &html))
        .singlepart(SinglePart::plain(crlf(&plain)))
        .singlepart(SinglePart::html(crlf(&html)));
    let mut builder = Message::builder()
        .message_id(Some(message_id(letter, &host)))
        .date(date(letter))
        .from(from.clone())
        .to(to.clone())
        .subject(mail_subject(letter));
    if let Some(root) = thread(letter, &host) {
        builder = builder.in_reply_to(root.clone()).references(root);
    }
    let message = builder
        .raw_header(header("List-Id", format!("Chronode <{}>", list_id(letter, &host))))
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(header("X-Auto-Response-Suppress", "All".to_owned()))
        .raw_header(header("X-Chronode-Id", letter.notification.id.to_string()))
        .multipart(alternatives)
        .map_err(|error| error.to_string())?;
    Ok(message.formatted())
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// When the letter was written: when it was made, or when the last came of what it tells. Not when it is sent, so that
/// one that is sent twice is the same mail.
fn date(letter: &Letter) -> SystemTime {
    let last = letter.alerts.iter().map(|alert| alert.at).max();
    let made_at = letter.notification.made_at;
    SystemTime::from(last.map_or(made_at, |last| last.max(made_at)))
}

/// The mail's identity, the same each time that it is sent. With the instant in it, because after a database was lost
/// numbers begin anew, and a mail of a known identity is thrown away.
fn message_id(letter: &Letter, host: &str) -> String {
    let notification = &letter.notification;
    let incident = notification.incident.map_or(String::new(), |incident| format!(".{incident}"));
    let made_at = millis_since_epoch(notification.made_at);
    format!("<{}{incident}.{made_at}@{host}>", notification.id)
}

/// What every mail about one incident to one recipient answers. No mail has this identity: whichever of them comes
/// first, or is lost, the others are one thread.
fn thread(letter: &Letter, host: &str) -> Option<String> {
    let incident = letter.notification.incident?;
    let opened = letter
        .incident
        .as_ref()
        .map_or(String::new(), |incident| format!(".{}", millis_since_epoch(incident.opened_at)));
    let to = &letter.notification.to;
    let whom = digest::digest(
        &digest::SHA256,
        format!("{}\n{}", to.channel, to.recipient.trim().to_lowercase()).as_bytes(),
    );
    Some(format!("<{incident}{opened}.{}@{host}>", &hex(whom.as_ref())[..16]))
}

fn list_id(letter: &Letter, host: &str) -> String {
    let name: String = host_part(&letter.cluster_name.trim().to_lowercase());
    if letter.cluster_name.trim().is_empty() {
        format!("alerts.{host}")
    } else {
        format!("alerts.{name}.{host}")
    }
}

/// A text as a part of a host's name: what cannot be in one is a hyphen.
fn host_part(text: &str) -> String {
    const LONGEST: usize = 200;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let part: String =
        text.trim().chars().take(LONGEST).map(|c| if is_part(c) { c } else { '-' }).collect();
    // An empty label is not allowed in an identity.
    let labels: Vec<&str> = part.split('.').filter(|label| !label.is_empty()).collect();
    if labels.is_empty() { "localhost".to_owned() } else { labels.join(".") }
}

/// What stands between the parts. It depends on all that is in them, so that nobody can write it into one.
fn boundary(plain: &str, html: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(plain.as_bytes());
    context.update(html.as_bytes());
    format!("=_{}", &hex(context.finish().as_ref())[..40])
}

/// Mail ends its lines so.
fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}
