//! Which master is asked: what `--master` says, who leads by the znodes, and where a redirect leads.
//!
//! Calculates only; `zookeeper` watches and `client` asks.

use std::fmt;
use std::net::Ipv6Addr;

use reqwest::Url;

use super::wire::MasterInfo;

/// Where a master takes calls.
const CALLS: &str = "/api/v1/scheduler";

/// Where masters listen if nobody says.
const MASTER_PORT: u16 = 5050;

/// Where ZooKeeper listens if nobody says.
const ZOOKEEPER_PORT: u16 = 2181;

/// How the znodes of masters begin. Beside them are those of the masters' own log.
const ZNODE_PREFIX: &str = "json.info_";

/// Who is asked for the leading master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Masters {
    /// Masters at known addresses, asked in turn; who does not lead says who does. Never empty.
    At(Vec<Address>),
    /// Those that have themselves written in ZooKeeper.
    ZooKeeper(Ensemble),
}

impl Masters {
    /// Whether a master is named by an address that begins with `https`.
    #[must_use]
    pub fn names_tls(&self) -> bool {
        match self {
            Self::At(addresses) => addresses.iter().any(|address| address.is_tls == Some(true)),
            Self::ZooKeeper(_) => false,
        }
    }
}

/// The address of a master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether it speaks TLS, if the address says so.
    pub is_tls: Option<bool>,
    /// A name or an address; IPv6 in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What stands before the paths of a master, such as a proxy's `/mesos`, or nothing.
    pub prefix: String,
}

/// Where in ZooKeeper the masters are written.
#[derive(Clone, PartialEq, Eq)]
pub struct Ensemble {
    /// `host:port,host:port`.
    pub hosts: String,
    /// The path of the masters' `--zk`, such as `/mesos`.
    pub path: String,
    /// `user:password` for the scheme `digest`. Never shown.
    pub login: Option<String>,
}

impl fmt::Display for Masters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZooKeeper(ensemble) => ensemble.fmt(f),
            Self::At(addresses) => {
                for (index, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if index == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_tls, host, port, prefix } = self;
        let scheme = match is_tls {
            Some(true) => "https://",
            Some(false) => "http://",
            None => "",
        };
        write!(f, "{scheme}{host}:{port}{prefix}")
    }
}

impl fmt::Display for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zk://{}{}", self.hosts, self.path)
    }
}

impl fmt::Debug for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with `--master`: a sentence with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "--master: {0}; give `zk://host:2181,host:2181/mesos`, `http://host:5050` or a list of such addresses, or `local`"
)]
pub struct MasterError(String);

impl Masters {
    /// Reads `--master`. `local` is `None`: tasks run on this machine, without Mesos.
    ///
    /// # Errors
    ///
    /// A sentence that names the flag and the remedy, and no password.
    pub fn parse(text: &str) -> Result<Option<Self>, MasterError> {
        let text = text.trim();
        if text == "local" {
            return Ok(None);
        }
        if let Some(rest) = text.strip_prefix("zk://") {
            return Ensemble::parse(rest).map(Self::ZooKeeper).map(Some).map_err(MasterError);
        }
        let addresses = text.split(',').map(|part| Address::parse(part.trim()));
        let addresses: Result<Vec<_>, _> = addresses.collect();
        addresses.map(Self::At).map(Some).map_err(MasterError)
    }
}

impl Ensemble {
    /// Reads what stands behind `zk://`.
    fn parse(rest: &str) -> Result<Self, String> {
        // A password may have `@` and `/` in it; a host has neither.
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, rest),
        };
        if login.is_some_and(|login| !login.contains(':') || login.starts_with(':')) {
            return Err("the login before `@` is not `user:password`".to_owned());
        }
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Err("the path of the masters in ZooKeeper is missing".to_owned());
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(format!("`/{}` is no path in ZooKeeper", path.escape_debug()));
        }
        let hosts: Result<Vec<_>, _> =
            hosts.split(',').map(|it| host_and_port(it, ZOOKEEPER_PORT)).collect();
        let hosts: Vec<_> = hosts?.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        Ok(Self {
            hosts: hosts.join(","),
            path: format!("/{path}"),
            login: login.map(str::to_owned),
        })
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, String> {
        let (is_tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(false), rest),
            Some(("https", rest)) => (Some(true), rest),
            Some(("zk", _)) => {
                return Err("`zk://` stands once, before all hosts of ZooKeeper".to_owned());
            }
            Some((scheme, _)) => {
                return Err(format!("`{}://` is not understood", scheme.escape_debug()));
            }
            None => (None, text),
        };
        if rest.contains('@') {
            return Err("a login in an address is not taken: name it with \
                        `--mesos_authentication_principal` and `--mesos_authentication_secret_file`"
                .to_owned());
        }
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = host_and_port(authority, MASTER_PORT)?;
        let prefix = prefix.trim_end_matches('/');
        // Addresses are often copied with the path of the calls, or of the page.
        let prefix =
            prefix.strip_suffix("api/v1/scheduler").unwrap_or(prefix).trim_end_matches('/');
        let is_odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#');
        if prefix.contains(is_odd) {
            return Err(format!("`/{}` is no path of a master", prefix.escape_debug()));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        let address = Self { is_tls, host, port, prefix };
        match address.calls(false) {
            Some(_) => Ok(address),
            None => Err(format!("`{}` is no address", text.escape_debug())),
        }
    }

    /// Where it takes calls. `expects_tls` decides where the address does not.
    #[must_use]
    pub fn calls(&self, expects_tls: bool) -> Option<Url> {
        let Self { is_tls, host, port, prefix } = self;
        let scheme = if is_tls.unwrap_or(expects_tls) { "https" } else { "http" };
        Url::parse(&format!("{scheme}://{host}:{port}{prefix}{CALLS}")).ok()
    }
}

fn host_and_port(text: &str, port_default: u16) -> Result<(String, u16), String> {
    let shown = text.escape_debug();
    if text.is_empty() {
        return Err("a host is missing".to_owned());
    }
    // The colons within brackets belong to the host.
    let behind_host = text.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match text[behind_host..].rfind(':') {
        Some(at) => text.split_at(behind_host + at),
        None => (text, ""),
    };
    let port = match port.strip_prefix(':') {
        None => port_default,
        Some(digits) => match digits.parse() {
            Ok(port) if port > 0 && digits.bytes().all(|it| it.is_ascii_digit()) => port,
            Ok(_) | Err(_) => {
                return Err(format!("the port of `{shown}` is no number from 1 to 65535"));
            }
        },
    };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = match bracketed {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        }
    };
    if is_host { Ok((host.to_owned(), port)) } else { Err(format!("`{shown}` names no host")) }
}

/// Of the children of the masters' node the one of the leader: the lowest number among those of masters.
#[must_use]
pub fn leading<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let number = |name: &str| {
        let digits = name.strip_prefix(ZNODE_PREFIX)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let numbered = names.into_iter().filter_map(|name| Some((number(name)?, name)));
    numbered.min().map(|(_, name)| name)
}

/// Where a master takes calls that has written this of itself. With TLS its name counts, for which its certificate was
/// made; else its address, under which the agents reach it too.
#[must_use]
pub fn calls_of(info: &MasterInfo, expects_tls: bool) -> Option<Url> {
    let address = info.address.as_ref();
    let filled = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    let name = filled(address.and_then(|it| it.hostname.as_ref()))
        .or_else(|| filled(info.hostname.as_ref()));
    let ip = filled(address.and_then(|it| it.ip.as_ref()));
    let host = if expects_tls { name.or(ip) } else { ip.or(name) }?;
    let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host };
    let port = address.map(|it| it.port).filter(|port| *port != 0).or(info.port)?;
    let address = Address { is_tls: None, host, port, prefix: String::new() };
    address.calls(expects_tls)
}

/// Where a redirect leads. A master gives no scheme (`//host:5050/master/api/v1/scheduler`): it is that of `asked`.
///
/// # Errors
///
/// A sentence if it leads nowhere we would go: to no address, or from TLS to a connection without it.
pub fn redirected(asked: &Url, location: &str) -> Result<Url, String> {
    let shown = location.escape_debug();
    let wrong = |why: &str| format!("the redirect to `{shown}` {why}");
    let mut to = asked.join(location).map_err(|_| wrong("is no address"))?;
    if !matches!(to.scheme(), "http" | "https") || !to.has_host() {
        return Err(wrong("is no address of a master"));
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err("a redirect with a login in it is not followed".to_owned());
    }
    if asked.scheme() == "https" && to.scheme() == "http" {
        return Err(wrong("gives up TLS and is not followed; let the masters all use it"));
    }
    if to.path() == "/" {
        to.set_path(CALLS);
    }
    to.set_query(None);
    to.set_fragment(None);
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zookeeper(text: &str) -> (String, String, Option<String>) {
        match Masters::parse(text) {
            Ok(Some(Masters::ZooKeeper(it))) => (it.hosts, it.path, it.login),
            other => panic!("{other:?}"),
        }
    }

    fn urls(text: &str, expects_tls: bool) -> Vec<String> {
        match Masters::parse(text) {
            Ok(Some(Masters::At(found))) => {
                found.iter().map(|it| it.calls(expects_tls).unwrap().to_string()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_forms_of_the_flag_are_read() {
        assert_eq!(Masters::parse("local"), Ok(None));
        let plain = |hosts: &str, path: &str| (hosts.to_owned(), path.to_owned(), None);
        assert_eq!(zookeeper("zk://h1:2181,h2:2182/mesos"), plain("h1:2181,h2:2182", "/mesos"));
        assert_eq!(zookeeper("zk://h1,[::1]:7/a/b/"), plain("h1:2181,[::1]:7", "/a/b"));
        let (_, _, login) = zookeeper("zk://chronos:p@ss/w:rd@h1/mesos");
        assert_eq!(login.as_deref(), Some("chronos:p@ss/w:rd"));

        assert_eq!(urls("http://h:5050", false), ["http://h:5050/api/v1/scheduler"]);
        assert_eq!(urls("http://h:5050/", true), ["http://h:5050/api/v1/scheduler"]);
        assert_eq!(urls("https://h", false), ["https://h:5050/api/v1/scheduler"]);
        assert_eq!(urls("h:5051", false), ["http://h:5051/api/v1/scheduler"]);
        assert_eq!(urls("h:5051", true), ["https://h:5051/api/v1/scheduler"]);
        assert_eq!(
            urls("http://h/api/v1/scheduler,https://p.example:443/mesos/", false),
            ["http://h:5050/api/v1/scheduler", "https://p.example/mesos/api/v1/scheduler"]
        );
        assert_eq!(
            urls("a:1, [::1]:5050 ,10.0.0.1", false),
            [
                "http://a:1/api/v1/scheduler",
                "http://[::1]:5050/api/v1/scheduler",
                "http://10.0.0.1:5050/api/v1/scheduler"
            ]
        );
    }

    #[test]
    fn what_is_no_master_names_flag_and_remedy_and_no_password() {
        for (text, why) in [
            ("", "a host is missing"),
            ("zk://h1", "the path of the masters"),
            ("zk://h1/", "the path of the masters"),
            ("zk:///mesos", "a host is missing"),
            ("zk://h1,,h2/mesos", "a host is missing"),
            ("zk://h1:0/mesos", "the port of `h1:0`"),
            ("zk://h1/a//b", "no path in ZooKeeper"),
            ("zk://h1/a/../b", "no path in ZooKeeper"),
            ("zk://s3cret@h1/mesos", "is not `user:password`"),
            ("zk://:s3cret@h1/mesos", "is not `user:password`"),
            ("http://a,zk://b/mesos", "stands once"),
            ("ftp://a", "`ftp://` is not understood"),
            ("http://user:s3cret@h", "`--mesos_authentication_secret_file`"),
            ("user:s3cret@h", "`--mesos_authentication_secret_file`"),
            ("h:65536", "the port of"),
            ("h:+80", "the port of"),
            ("h:", "the port of"),
            ("h,,i", "a host is missing"),
            ("[::1", "names no host"),
            ("[x]:1", "names no host"),
            ("::1", "names no host"),
            ("a b", "names no host"),
            ("http://a?x=1", "names no host"),
            ("http://a/b?x=1", "no path of a master"),
        ] {
            let error = Masters::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("--master: ") && error.contains(why), "{text}: {error}");
            assert!(error.contains("`zk://host:2181,host:2181/mesos`"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let masters = Masters::parse("zk://u:s3cret@h/mesos").unwrap().unwrap();
        assert_eq!(
            format!("{masters:?} {masters}"),
            "ZooKeeper(zk://h:2181/mesos) zk://h:2181/mesos"
        );
        let masters = Masters::parse("http://a,https://b/p/,[::1]:7").unwrap().unwrap();
        assert_eq!(masters.to_string(), "http://a:5050,https://b:5050/p,[::1]:7");
    }

    #[test]
    fn the_lowest_number_leads_among_the_nodes_of_masters() {
        let names =
            ["log_replicas", "json.info_0000000010", "json.info_0000000009", "info_0000000001"];
        assert_eq!(leading(names), Some("json.info_0000000009"));
        assert_eq!(
            leading(["json.info_10000000000", "json.info_9999999999"]),
            Some("json.info_9999999999")
        );
        assert_eq!(
            leading(["json.info_", "json.info_x", "json.info_-000000001", "log_replicas"]),
            None
        );
        assert_eq!(leading([]), None);
    }

    #[test]
    fn a_redirect_keeps_the_scheme_and_gives_no_login_away() {
        let plain = Url::parse("http://127.0.0.1:5060/api/v1/scheduler").unwrap();
        let tls = Url::parse("https://127.0.0.1:5060/api/v1/scheduler").unwrap();
        let to = |asked: &Url, location: &str| redirected(asked, location).map(String::from);
        let recorded = "//localhost:5050/master/api/v1/scheduler";
        let ok = |url: &str| Ok(url.to_owned());
        assert_eq!(to(&plain, recorded), ok("http://localhost:5050/master/api/v1/scheduler"));
        assert_eq!(to(&tls, recorded), ok("https://localhost:5050/master/api/v1/scheduler"));
        assert_eq!(to(&plain, "//localhost:5050"), ok("http://localhost:5050/api/v1/scheduler"));
        assert_eq!(to(&plain, "https://b/x?y#z"), ok("https://b/x"));
        assert_eq!(to(&plain, "/x"), ok("http://127.0.0.1:5060/x"));
        assert!(to(&tls, "http://b/x").unwrap_err().contains("TLS"));
        for location in ["http://", "ftp://b/x", "mailto:b", "//", "http://b:99999/"] {
            assert!(to(&plain, location).is_err(), "{location}");
        }
        let error = to(&plain, "http://user:s3cret@b/").unwrap_err();
        assert!(error.contains("login") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn masters_are_called_by_address_or_with_tls_by_name() {
        let info = |text: &str| serde_json::from_str::<MasterInfo>(text).unwrap();
        let of = |text: &str, tls: bool| calls_of(&info(text), tls).map(String::from);
        let ok = |url: &str| Some(format!("{url}/api/v1/scheduler"));
        let whole = r#"{"address":{"hostname":"m1","ip":"10.0.0.1","port":5050},"hostname":"m1","ip":16777343}"#;
        assert_eq!(of(whole, false), ok("http://10.0.0.1:5050"));
        assert_eq!(of(whole, true), ok("https://m1:5050"));
        assert_eq!(of(r#"{"hostname":"m1","port":5051}"#, false), ok("http://m1:5051"));
        assert_eq!(of(r#"{"address":{"ip":"::1","port":5051}}"#, true), ok("https://[::1]:5051"));
        for text in [
            "{}",
            r#"{"hostname":"m1"}"#,
            r#"{"hostname":"","port":1}"#,
            r#"{"hostname":"a b","port":1}"#,
        ] {
            assert_eq!(of(text, false), None, "{text}");
        }
    }

    #[test]
    fn masters_name_tls_by_their_scheme() {
        for (text, expected) in [
            ("https://m1:5050", true),
            ("m1:5050,https://m2:5050", true),
            ("http://m1:5050", false),
            ("zk://z:2181/mesos", false),
        ] {
            assert_eq!(Masters::parse(text).unwrap().unwrap().names_tls(), expected, "{text}");
        }
    }
}
