//! `chronode config show`: every option with its value and where that came from.
//!
//! Printed as the file that `--config` reads, so that it can be taken for one.

use std::io::{self, Write};

use super::resolve::{Resolution, shown, without_login};
use super::table::Row;
use super::written::{Written, WrittenRule, tls_word};
use super::{ChannelKind, ChannelSettings, FileName, HookSettings, MailSettings, SecretSource};
use crate::alerts::{RouteTarget, Rule};

/// Where the comments begin, if the values leave room.
const COMMENT_COLUMN: usize = 40;

impl Resolution {
    /// Prints every option. Secrets are `***`; Chronos' flags without a meaning are there only if given.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written to.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut last_heading = None;
        for row in self.table.rows() {
            if row.is_foreign() && !self.given.contains_key(&row.name) {
                continue;
            }
            if last_heading != Some(row.heading()) {
                if last_heading.is_some() {
                    writeln!(out)?;
                }
                writeln!(out, "# {}", row.heading())?;
                last_heading = Some(row.heading());
            }
            let (line, origin) = self.line(row);
            writeln!(out, "{line:COMMENT_COLUMN$}  # {origin}")?;
        }
        self.print_written(out)?;
        out.flush()
    }

    /// Channels and routes, one on each line.
    fn print_written(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n# Channels and routes")?;
        let mut print =
            |line: &str, origin: &str| writeln!(out, "{line:COMMENT_COLUMN$}  # {origin}");
        let Written { channels, rules, .. } = &self.written;
        if channels.is_empty() {
            print("# channels:", "not set")?;
        } else {
            print("channels:", "by name")?;
        }
        for (channel, origin) in channels {
            let line = format!("  {}: {}", quoted(&channel.name), flow(&channel_fields(channel)));
            print(&line, origin)?;
        }
        if rules.is_empty() {
            print("# routes:", "not set")?;
        } else {
            print("routes:", "in their order")?;
        }
        for (WrittenRule { rule, .. }, origin) in rules {
            print(&format!("  - {}", flow(&rule_fields(rule))), origin)?;
        }
        Ok(())
    }

    fn line(&self, row: &Row) -> (String, String) {
        let name = &row.name;
        let (value, origin) = match (self.given.get(name), row.default()) {
            (Some(given), _) => (shown(row, given), given.source.to_string()),
            (None, Some(default)) => (default, "default".to_owned()),
            (None, None) => return (format!("# {name}:"), "not set".to_owned()),
        };
        // A file cannot name another one.
        let mark = if row.names_a_source() { "# " } else { "" };
        (format!("{mark}{name}: {}", quoted(&value)), origin)
    }
}

/// Keys and values, these as YAML on one line.
type Pairs = Vec<(String, String)>;

fn flow(pairs: &Pairs) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

fn channel_fields(settings: &ChannelSettings) -> Pairs {
    let ChannelSettings { name: _, place: _, by_default, kind } = settings;
    let mut fields = Fields(Vec::new());
    fields.add("kind", kind.name());
    if !by_default {
        fields.add("by_default", "false");
    }
    match kind {
        ChannelKind::Mail(mail) => fields.mail(mail),
        ChannelKind::Slack(hook) | ChannelKind::Mattermost(hook) => fields.hook(hook, false),
        ChannelKind::Http { hook, credentials } => {
            fields.hook(hook, true);
            if let Some(credentials) = credentials {
                fields.secret("credentials", credentials, false);
            }
        }
        ChannelKind::Webhook { hook, secret } => {
            fields.hook(hook, true);
            fields.secret("secret", secret, false);
        }
        ChannelKind::Command(argv) => {
            fields.0.push(("command".to_owned(), list(argv.0.iter().map(String::as_str))));
        }
    }
    fields.0
}

fn rule_fields(rule: &Rule) -> Pairs {
    let Rule { owner, label, prefix, kinds, to, stop } = rule;
    let mut fields = Fields(Vec::new());
    for (key, text) in [("prefix", prefix), ("owner", owner)] {
        if let Some(text) = text {
            fields.add(key, text);
        }
    }
    match label {
        Some((name, Some(value))) => fields.add("label", &format!("{name}={value}")),
        Some((name, None)) => fields.add("label", name),
        None => {}
    }
    if let Some(kinds) = kinds {
        let kinds = kinds.iter().map(|kind| kind.name());
        fields.0.push(("kinds".to_owned(), list(kinds)));
    }
    let to: Vec<String> = to
        .iter()
        .map(|RouteTarget { channel, recipients }| match recipients {
            Some(recipients) => {
                let recipients = list(recipients.iter().map(String::as_str));
                flow(&vec![(quoted(channel), recipients)])
            }
            None => quoted(channel),
        })
        .collect();
    fields.0.push(("to".to_owned(), format!("[{}]", to.join(", "))));
    if *stop {
        fields.add("stop", "true");
    }
    fields.0
}

struct Fields(Pairs);

impl Fields {
    fn add(&mut self, key: &str, text: &str) {
        self.0.push((key.to_owned(), quoted(text)));
    }

    fn file(&mut self, key: &str, file: &FileName) {
        self.add(key, &file.path.to_string_lossy());
    }

    /// A secret, or its file. `is_shown` is one that may be read but for a login.
    fn secret(&mut self, key: &str, secret: &SecretSource, is_shown: bool) {
        match secret {
            SecretSource::File(file) => self.file(&format!("{key}_file"), file),
            SecretSource::Text(text) if is_shown => self.add(key, &without_login(text.expose())),
            SecretSource::Text(_) => self.add(key, "***"),
        }
    }

    fn hook(&mut self, hook: &HookSettings, is_shown: bool) {
        let HookSettings { url, private_addresses, ca_file } = hook;
        self.secret("url", url, is_shown);
        if let Some(private) = private_addresses {
            self.add("private_addresses", &private.to_string());
        }
        if let Some(file) = ca_file {
            self.file("ca_file", file);
        }
    }

    fn mail(&mut self, mail: &MailSettings) {
        let MailSettings { host, port, encryption, login, password_in_clear, from, ca_file } = mail;
        let server =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        self.add("server", &server);
        self.add("from", from);
        if let Some((user, password)) = login {
            self.add("user", user);
            self.secret("password", password, false);
        }
        self.add("tls", tls_word(*encryption));
        if *password_in_clear {
            self.add("password_in_clear", "true");
        }
        if let Some(file) = ca_file {
            self.file("ca_file", file);
        }
    }
}

/// A text as a scalar of YAML on one line.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+');
    let begins_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let is_null = text.eq_ignore_ascii_case("null");
    if begins_plain && !is_null && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        // JSON's texts are YAML's.
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_where_yaml_would_read_something_else() {
        for plain in ["4400", "0.1", "/var/lib/chronode", "info", "true"] {
            assert_eq!(quoted(plain), plain);
        }
        for (text, expected) in [
            ("", r#""""#),
            ("null", r#""null""#),
            ("a: b", r#""a: b""#),
            ("*", r#""*""#),
            ("a #b", r##""a #b""##),
            ("~", r#""~""#),
            ("two\nlines", r#""two\nlines""#),
            ("---", r#""---""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
