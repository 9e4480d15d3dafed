//! Channels and routes, of the file of options alone: what does not go into one text.
//!
//! ```yaml
//! channels:
//!   pager: {kind: webhook, url: https://pager.example/in, secret_file: /etc/chronode/pager.secret}
//! routes:
//!   - {prefix: billing-, to: [pager], stop: true}
//! ```
//!
//! All that is wrong is told, each with its line. Whether a route leads somewhere is seen when the channels of flags are
//! known too ([`Written::join`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::channels::{
    Argv, ChannelKind, ChannelSettings, FileName, HookSettings, MailSettings, Place, SecretSource,
    server,
};
use super::notifications::{FLAG_CHANNELS, NOT_SHOWN, Notifications, Read};
use super::{Secret, source, table};
use crate::alerts::{RouteTarget, Rule};
use crate::jobspec::yaml::{self, Entry, Kind, Node};
use crate::model::{AlertKind, SECRET_SHOWN};
use crate::notify::{Encryption, check_address};

/// The keys of the file that are no options.
pub(super) const KEYS: [&str; 2] = ["channels", "routes"];

/// Bytes of a channel's name.
const NAME_BYTES_MAX: usize = 64;

const HOOK: [&str; 6] = ["kind", "by_default", "url", "url_file", "private_addresses", "ca_file"];
const MAIL: [&str; 10] = [
    "kind",
    "by_default",
    "server",
    "from",
    "user",
    "password",
    "password_file",
    "tls",
    "password_in_clear",
    "ca_file",
];
const RULE: [&str; 6] = ["prefix", "label", "owner", "kinds", "to", "stop"];
const TLS: [(&str, Encryption); 3] = [
    ("offered", Encryption::Offered),
    ("starttls", Encryption::StartTls),
    ("tls", Encryption::Tls),
];

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The channels that nothing is wrong with, with their lines.
    pub(super) channels: Vec<(ChannelSettings, String)>,
    /// The rules, with their lines.
    pub(super) rules: Vec<(WrittenRule, String)>,
    /// Secrets that everybody may read, each a sentence.
    pub(super) exposed: Vec<String>,
    /// All channels that are named, with what they are, if that is known, and where that is.
    names: Vec<(String, Option<&'static str>, String)>,
}

/// A rule, and where each of its targets stands.
#[derive(Debug)]
pub(super) struct WrittenRule {
    pub(super) rule: Rule,
    places: Vec<String>,
}

/// The word for how a connection is encrypted.
pub(super) const fn tls_word(encryption: Encryption) -> &'static str {
    match encryption {
        Encryption::Offered => "offered",
        Encryption::StartTls => "starttls",
        Encryption::Tls => "tls",
    }
}

impl Written {
    /// Takes over what another source says, which is nothing but for the file.
    pub(super) fn take(&mut self, other: &mut Self) {
        let Self { channels, rules, exposed, names } = other;
        self.channels.append(channels);
        self.rules.append(rules);
        self.exposed.append(exposed);
        self.names.append(names);
    }

    /// What the file says together with what flags say, and all that is wrong with that.
    pub(super) fn join(&self, read: &Read) -> (Notifications, Vec<String>) {
        let mut problems = Vec::new();
        let mut notifications = read.notifications.clone();
        let mut known: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for name in &read.meant {
            known.insert(name, Some(name));
        }
        for (name, kind, place) in &self.names {
            if read.meant.contains(&name.as_str()) {
                let flag = FLAG_CHANNELS.iter().find(|(channel, _)| channel == name);
                let flag = flag.map_or("", |(_, flag)| flag);
                problems.push(format!(
                    "{place}: --{flag} makes a channel `{name}` already: give this one another name, or leave the \
                     option out"
                ));
            }
            known.entry(name).or_insert(*kind);
        }
        let is_new = |it: &&ChannelSettings| !read.meant.contains(&it.name.as_str());
        let channels = self.channels.iter().map(|(settings, _)| settings).filter(is_new);
        notifications.channels.extend(channels.cloned());
        for (WrittenRule { rule, places }, _) in &self.rules {
            for (target, place) in rule.to.iter().zip(places) {
                if let Err(problem) = check_target(&known, target) {
                    problems.push(format!("{place}: {problem}"));
                }
            }
            notifications.rules.push(rule.clone());
        }
        (notifications, problems)
    }

    /// Whether a channel of the file sends mail, or would if nothing were wrong with it.
    pub(super) fn has_mail(&self) -> bool {
        self.names.iter().any(|(_, kind, _)| *kind == Some("mail"))
    }
}

fn check_target(known: &BTreeMap<&str, Option<&str>>, target: &RouteTarget) -> Result<(), String> {
    let RouteTarget { channel, recipients } = target;
    let Some(kind) = known.get(channel.as_str()) else {
        let names: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
        let remedy = if names.is_empty() {
            "there is none yet: add it under `channels`, or give a flag that makes one, as --mail_server".to_owned()
        } else {
            format!("name one of {}, or add it under `channels`", names.join(", "))
        };
        return Err(format!("there is no channel `{}`: {remedy}", channel.escape_debug()));
    };
    match (kind, recipients) {
        (Some("mail"), Some(addresses)) => addresses.iter().try_for_each(|address| {
            check_address(address).map_err(|why| {
                format!("`{}` cannot get mail: {why}; give an address", address.escape_debug())
            })
        }),
        // Whom Chronos' callback names as the owner may be anybody.
        (Some("http") | None, _) | (Some(_), None) => Ok(()),
        (Some(kind), Some(_)) => Err(format!(
            "`{channel}` is a {kind} channel and reaches whom it reaches: write its name alone"
        )),
    }
}

/// Reads `channels` or `routes`.
pub(super) fn read(path: &Path, entry: &Entry, written: &mut Written, problems: &mut Vec<String>) {
    let mut reader = Reader { path, written, problems };
    match (&entry.value.kind, entry.key.as_str()) {
        (Kind::Map(entries), "channels") => {
            entries.iter().for_each(|entry| reader.channel(entry));
        }
        (Kind::List(nodes), "routes") => {
            for (index, node) in nodes.iter().enumerate() {
                reader.rule(index, node);
            }
        }
        (Kind::Bad, _) => {}
        (_, "channels") => reader.tell(
            entry.at,
            "`channels` has to be a map from names to channels, as `pager: {kind: webhook, …}`",
        ),
        _ => reader.tell(
            entry.at,
            "`routes` has to be a list of rules, as `- {prefix: billing-, to: [mail]}`",
        ),
    }
}

/// A map, and what it is called in sentences.
struct Fields<'n> {
    what: String,
    at: yaml::Place,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

struct Reader<'a> {
    path: &'a Path,
    written: &'a mut Written,
    problems: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn place(&self, at: yaml::Place) -> String {
        format!("{}:{}", self.path.display(), at.line)
    }

    fn tell(&mut self, at: yaml::Place, problem: &str) {
        let place = self.place(at);
        self.problems.push(format!("{place}: {problem}"));
    }

    /// The fields of a map, without those that are not `known`.
    fn fields<'n>(&mut self, what: String, node: &'n Node) -> Option<Fields<'n>> {
        match &node.kind {
            Kind::Map(entries) => Some(Fields { what, at: node.at, entries }),
            Kind::Bad => None,
            Kind::Null(_) | Kind::Text(_) | Kind::List(_) => {
                self.tell(node.at, &format!("{what} has to be a map, as `{{name: value, …}}`"));
                None
            }
        }
    }

    fn refuse_others(&mut self, fields: &Fields<'_>, known: &[&str]) {
        for entry in fields.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let problem = format!(
                "{}: there is no `{}` here; there are `{}`",
                fields.what,
                entry.key.escape_debug(),
                known.join("`, `")
            );
            self.tell(entry.at, &problem);
        }
    }

    /// One text that is not empty. What is something else is told.
    fn text<'n>(&mut self, fields: &Fields<'n>, key: &str) -> Option<(&'n str, &'n Entry)> {
        let entry = fields.get(key)?;
        match &entry.value.kind {
            Kind::Text(text) if !text.is_empty() => return Some((text, entry)),
            Kind::Bad => {}
            Kind::Null(_) | Kind::Text(_) => self.tell(
                entry.at,
                &format!("{}.{key} has no value: give one, or remove it", fields.what),
            ),
            Kind::List(_) | Kind::Map(_) => {
                self.tell(entry.at, &format!("{}.{key} has to be one text", fields.what));
            }
        }
        None
    }

    /// As [`Self::text`]; that there is none is told too.
    fn required<'n>(
        &mut self,
        fields: &Fields<'n>,
        key: &str,
        remedy: &str,
    ) -> Option<(&'n str, &'n Entry)> {
        if fields.get(key).is_none() {
            self.tell(fields.at, &format!("{} has no `{key}`: {remedy}", fields.what));
        }
        self.text(fields, key)
    }

    fn switch(&mut self, fields: &Fields<'_>, key: &str) -> Option<bool> {
        let (text, entry) = self.text(fields, key)?;
        let switch = table::switch(text);
        if let Err(expected) = &switch {
            let problem = format!("{}.{key} `{}`: {expected}", fields.what, text.escape_debug());
            self.tell(entry.at, &problem);
        }
        switch.ok()
    }

    fn line(&self, fields: &Fields<'_>, entry: &Entry) -> Place {
        Place::Line(format!("{}: {}.{}", self.place(entry.at), fields.what, entry.key))
    }

    fn file(&mut self, fields: &Fields<'_>, key: &str) -> Option<FileName> {
        let (text, entry) = self.text(fields, key)?;
        Some(FileName { path: PathBuf::from(text), place: self.line(fields, entry) })
    }

    /// A secret, itself or its file. `is_shown` is one that may be read.
    fn secret(&mut self, fields: &Fields<'_>, key: &str, is_shown: bool) -> Option<SecretSource> {
        let file_key = format!("{key}_file");
        let file = self.file(fields, &file_key).map(SecretSource::File);
        if let (Some(_), Some(second)) = (fields.get(key), fields.get(&file_key)) {
            let problem =
                format!("{}.{file_key}: `{key}` is given too: leave one of them out", fields.what);
            self.tell(second.at, &problem);
        }
        let Some((text, entry)) = self.text(fields, key) else { return file };
        if text == SECRET_SHOWN {
            self.tell(entry.at, &format!("{}.{key} `{text}`: {NOT_SHOWN}", fields.what));
        }
        if !is_shown && source::is_open_to_all(self.path) {
            let exposed = format!(
                "{}: {}.{key}: everybody on this machine can read this secret; `chmod o-r {}`",
                self.place(entry.at),
                fields.what,
                self.path.display()
            );
            self.written.exposed.push(exposed);
        }
        Some(SecretSource::Text(Secret::new(text)))
    }

    /// As [`Self::secret`]; that there is none is told too.
    fn required_secret(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        is_shown: bool,
    ) -> Option<SecretSource> {
        if fields.get(key).is_none() && fields.get(&format!("{key}_file")).is_none() {
            let problem = format!("{} has no `{key}`: give it, or `{key}_file`", fields.what);
            self.tell(fields.at, &problem);
        }
        self.secret(fields, key, is_shown)
    }

    fn channel(&mut self, entry: &Entry) {
        let name = &entry.key;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_name) {
            let problem = format!(
                "`{}` cannot be the name of a channel: take letters, digits, `-`, `_` and `.`, at most \
                 {NAME_BYTES_MAX}",
                name.escape_debug()
            );
            self.tell(entry.at, &problem);
        }
        let before = self.problems.len();
        let line = self.place(entry.at);
        let fields = self.fields(format!("channels.{}", name.escape_debug()), &entry.value);
        let (by_default, kind) = match &fields {
            Some(fields) => {
                let fields = Fields { what: fields.what.clone(), at: entry.at, ..*fields };
                (self.switch(&fields, "by_default"), self.kind(&fields))
            }
            None => (None, None),
        };
        let (word, kind) = kind.unwrap_or_default();
        self.written.names.push((name.clone(), word, line.clone()));
        let Some(kind) = kind.filter(|_| self.problems.len() == before) else { return };
        let settings = ChannelSettings {
            name: name.clone(),
            place: Place::Line(format!("{line}: channels.{name}")),
            by_default: by_default.unwrap_or(true),
            kind,
        };
        self.written.channels.push((settings, line));
    }

    /// The word for what a channel is, and what it is.
    fn kind(&mut self, fields: &Fields<'_>) -> Option<(Option<&'static str>, Option<ChannelKind>)> {
        let words = FLAG_CHANNELS.map(|(kind, _)| kind);
        let listed = format!("one of `{}`", words.join("`, `"));
        let (word, entry) = self.required(fields, "kind", &format!("give {listed}"))?;
        let Some(word) = words.into_iter().find(|known| *known == word) else {
            let problem = format!(
                "{}.kind: there is no `{}`; give {listed}",
                fields.what,
                word.escape_debug()
            );
            self.tell(entry.at, &problem);
            return None;
        };
        Some((Some(word), self.settings(word, fields)))
    }

    fn settings(&mut self, word: &str, fields: &Fields<'_>) -> Option<ChannelKind> {
        let with = |more: &[&'static str]| [&HOOK[..], more].concat();
        match word {
            "mail" => self.mail(fields).map(ChannelKind::Mail),
            "slack" => {
                self.refuse_others(fields, &HOOK);
                self.hook(fields, false).map(ChannelKind::Slack)
            }
            "mattermost" => {
                self.refuse_others(fields, &HOOK);
                self.hook(fields, false).map(ChannelKind::Mattermost)
            }
            "http" => {
                self.refuse_others(fields, &with(&["credentials", "credentials_file"]));
                let hook = self.hook(fields, true);
                let credentials = self.secret(fields, "credentials", false);
                if let (Some(SecretSource::Text(text)), Some(entry)) =
                    (&credentials, fields.get("credentials"))
                    && text.expose() != SECRET_SHOWN
                    && !text.expose().contains(':')
                {
                    let problem = format!("{}.credentials: write `user:password`", fields.what);
                    self.tell(entry.at, &problem);
                }
                Some(ChannelKind::Http { hook: hook?, credentials })
            }
            "webhook" => {
                self.refuse_others(fields, &with(&["secret", "secret_file"]));
                let hook = self.hook(fields, true);
                let secret = self.required_secret(fields, "secret", false);
                Some(ChannelKind::Webhook { hook: hook?, secret: secret? })
            }
            _ => {
                self.refuse_others(fields, &["kind", "by_default", "command"]);
                let Some(entry) = fields.get("command") else {
                    let problem = format!(
                        "{} has no `command`: give a list, as `[/usr/local/bin/tell, --loud]`",
                        fields.what
                    );
                    self.tell(fields.at, &problem);
                    return None;
                };
                let argv = self.texts(&format!("{}.command", fields.what), &entry.value)?;
                Some(ChannelKind::Command(Argv(argv.into_iter().map(|(text, _)| text).collect())))
            }
        }
    }

    fn hook(&mut self, fields: &Fields<'_>, is_shown: bool) -> Option<HookSettings> {
        let url = self.required_secret(fields, "url", is_shown);
        let private_addresses = self.switch(fields, "private_addresses");
        let ca_file = self.file(fields, "ca_file");
        Some(HookSettings { url: url?, private_addresses, ca_file })
    }

    fn mail(&mut self, fields: &Fields<'_>) -> Option<MailSettings> {
        self.refuse_others(fields, &MAIL);
        let encryption = self.text(fields, "tls").map_or(Encryption::Offered, |(text, entry)| {
            let known = TLS.iter().find(|(word, _)| *word == text);
            if known.is_none() {
                let words = TLS.map(|(word, _)| word).join("`, `");
                let problem = format!(
                    "{}.tls: there is no `{}`; give one of `{words}`",
                    fields.what,
                    text.escape_debug()
                );
                self.tell(entry.at, &problem);
            }
            known.map_or(Encryption::Offered, |(_, encryption)| *encryption)
        });
        let address = self.required(fields, "server", "give it as `smtp.example.org:587`");
        let address = address.and_then(|(text, entry)| {
            let server = server(text, encryption);
            if let Err(expected) = &server {
                let problem =
                    format!("{}.server `{}`: {expected}", fields.what, text.escape_debug());
                self.tell(entry.at, &problem);
            }
            server.ok()
        });
        let from = self.required(fields, "from", "give the sender, as `chronode@example.org`");
        if let Some((text, entry)) = from
            && let Err(why) = check_address(text)
        {
            let problem = format!(
                "{}.from `{}`: mail cannot come from there: {why}; give an address as `chronode@example.org`",
                fields.what,
                text.escape_debug()
            );
            self.tell(entry.at, &problem);
        }
        let user = self.text(fields, "user");
        let password = self.secret(fields, "password", false);
        if fields.get("user").is_some() && password.is_none() {
            let problem =
                format!("{}: `user` has no password: give `password_file` too", fields.what);
            self.tell(fields.at, &problem);
        } else if fields.get("user").is_none() && password.is_some() {
            let problem = format!("{}: the password is nobody's: give `user` too", fields.what);
            self.tell(fields.at, &problem);
        }
        let password_in_clear = self.switch(fields, "password_in_clear").unwrap_or(false);
        let ca_file = self.file(fields, "ca_file");
        let (host, port) = address?;
        Some(MailSettings {
            host,
            port,
            encryption,
            login: user.map(|(user, _)| user.to_owned()).zip(password),
            password_in_clear,
            from: from?.0.to_owned(),
            ca_file,
        })
    }

    /// Texts of a list, at least one, with their places. What is something else is told.
    fn texts(&mut self, what: &str, node: &Node) -> Option<Vec<(String, yaml::Place)>> {
        let Kind::List(items) = &node.kind else {
            self.tell(node.at, &format!("{what} has to be a list of texts, as `[one, two]`"));
            return None;
        };
        if items.is_empty() {
            self.tell(
                node.at,
                &format!("{what} is empty: write into it what is meant, or remove it"),
            );
            return None;
        }
        let mut texts = Vec::new();
        for item in items {
            match &item.kind {
                Kind::Text(text) => texts.push((text.clone(), item.at)),
                Kind::Bad => {}
                Kind::Null(_) | Kind::List(_) | Kind::Map(_) => {
                    self.tell(
                        item.at,
                        &format!("{what} has to have texts in it, and nothing else"),
                    );
                }
            }
        }
        Some(texts)
    }

    fn rule(&mut self, index: usize, node: &Node) {
        let Some(fields) = self.fields(format!("routes[{index}]"), node) else { return };
        self.refuse_others(&fields, &RULE);
        let text = |found: Option<(&str, &Entry)>| found.map(|(text, _)| text.to_owned());
        let owner = text(self.text(&fields, "owner"));
        let prefix = text(self.text(&fields, "prefix"));
        let label = self.text(&fields, "label").and_then(|(text, entry)| {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (text, None),
            };
            if name.is_empty() {
                let problem = format!(
                    "{}.label `{}`: write `name` or `name=value`",
                    fields.what,
                    text.escape_debug()
                );
                self.tell(entry.at, &problem);
                return None;
            }
            Some((name.to_owned(), value))
        });
        let kinds = fields.get("kinds").map(|entry| self.alert_kinds(&fields, entry));
        let stop = self.switch(&fields, "stop").unwrap_or(false);
        let (to, places) = self.targets(&fields).into_iter().unzip();
        let rule = Rule { owner, label, prefix, kinds, to, stop };
        let line = self.place(node.at);
        self.written.rules.push((WrittenRule { rule, places }, line));
    }

    fn alert_kinds(&mut self, fields: &Fields<'_>, entry: &Entry) -> BTreeSet<AlertKind> {
        let what = format!("{}.kinds", fields.what);
        let mut kinds = BTreeSet::new();
        for (text, at) in self.texts(&what, &entry.value).unwrap_or_default() {
            if let Some(kind) = AlertKind::parse(&text) {
                kinds.insert(kind);
            } else {
                let known = AlertKind::ALL.map(AlertKind::name).join("`, `");
                let problem =
                    format!("{what}: there is no `{}`; there are `{known}`", text.escape_debug());
                self.tell(at, &problem);
            }
        }
        kinds
    }

    /// Where alerts go, and where each is written.
    fn targets(&mut self, fields: &Fields<'_>) -> Vec<(RouteTarget, String)> {
        const REMEDY: &str = "name channels in a list, as `to: [mail, {mail: [ops@example.org]}]`";
        let what = format!("{}.to", fields.what);
        let Some(entry) = fields.get("to") else {
            self.tell(fields.at, &format!("{} has no `to`: {REMEDY}", fields.what));
            return Vec::new();
        };
        let items = match &entry.value.kind {
            Kind::List(items) if !items.is_empty() => items,
            Kind::Bad => return Vec::new(),
            Kind::List(_) | Kind::Null(_) | Kind::Text(_) | Kind::Map(_) => {
                self.tell(entry.at, &format!("{what}: {REMEDY}"));
                return Vec::new();
            }
        };
        let mut targets = Vec::new();
        for item in items {
            let (channel, recipients) = match &item.kind {
                Kind::Text(channel) => (channel, None),
                Kind::Map(entries) if entries.len() == 1 => {
                    let Entry { key, value, .. } = &entries[0];
                    let Some(texts) = self.texts(&format!("{what}.{key}"), value) else { continue };
                    (key, Some(texts.into_iter().map(|(text, _)| text).collect()))
                }
                Kind::Bad => continue,
                Kind::Map(_) | Kind::Null(_) | Kind::List(_) => {
                    self.tell(item.at, &format!("{what}: {REMEDY}"));
                    continue;
                }
            };
            let place = format!("{}: {what}", self.place(item.at));
            targets.push((RouteTarget { channel: channel.clone(), recipients }, place));
        }
        targets
    }
}
