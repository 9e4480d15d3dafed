//! What becomes of each flag of Chronos.
//!
//! A flag that is an option here is in [`super::ServeFlags`]; the others are here with their type, so that a value that
//! Chronos would have refused is refused. None is ignored without a word: what has nothing to do is warned of, what
//! asks for something that this release cannot do is refused.

/// A flag of Chronos.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChronosFlag {
    /// Its name, without dashes.
    pub(super) name: &'static str,
    /// The versions of Chronos that have it.
    pub(super) versions: &'static str,
    /// Its default there; empty is none.
    pub(super) default: &'static str,
    /// What becomes of it.
    pub(super) fate: Fate,
}

/// What becomes of a flag.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// It is an option here, and means what it meant.
    Kept,
    /// It is an option here, but does not mean what it meant; this is what becomes of it.
    Changed(&'static str),
    /// Accepted with a warning: there is nothing for it to do, for this reason.
    Idle(Form, &'static str),
    /// Refused: it asks for something that this release does not have.
    Absent {
        /// What its value has to be.
        form: Form,
        /// The value that asks for nothing and is therefore accepted.
        harmless: &'static str,
        /// What is not there.
        lacks: &'static Lack,
    },
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Switch,
    Count,
    Text,
    Secret,
}

/// Something that this release does not have.
#[derive(Debug)]
pub(super) struct Lack {
    /// In a word or two.
    pub(super) what: &'static str,
    /// What is there in its place, and what to do.
    pub(super) sentence: &'static str,
}

/// All of it, in the order of the documentation.
pub(super) const LACKS: [&Lack; 2] = [&ZOOKEEPER, &GRAPHITE];

static ZOOKEEPER: Lack = Lack {
    what: "ZooKeeper",
    sentence: "this release keeps its state in --data on this machine and cannot use ZooKeeper; leave it out, and \
               back --data up with `chronode backup`",
};
static GRAPHITE: Lack =
    Lack { what: "Graphite", sentence: "this release reports nothing to Graphite; leave it out" };

const HTTPS_ADDRESS: &str = "Means the same; the default is `127.0.0.1`. Without --tls_certificate it has no effect, \
                             as in Chronos without a keystore, and is warned of";
const HTTPS_PORT: &str = "Means the same. Without --tls_certificate it has no effect, as in Chronos without a keystore, \
                          and is warned of";
const KEYSTORE: &str =
    "Refused: a Java keystore cannot be read; the sentence says how to convert it";
const REVIVES: &str = "offers are asked for whenever a run waits for one, and for no other reason";
const DECLINE: &str = "Means the same; the default is Mesos' own, 5000";
const REVIVE_EVERY: &str = "Means the same beyond the first five requests, which are made at once";
const SENTRY: &str =
    "nothing is sent to Sentry; give `webhook_url` a service that takes signed JSON instead";
const CASSANDRA: &str = "the history of runs is built in";
const COMPRESSION: &str = "answers are never compressed";

const fn kept(name: &'static str, versions: &'static str, default: &'static str) -> ChronosFlag {
    ChronosFlag { name, versions, default, fate: Fate::Kept }
}

const fn changed(
    name: &'static str,
    versions: &'static str,
    default: &'static str,
    instead: &'static str,
) -> ChronosFlag {
    ChronosFlag { name, versions, default, fate: Fate::Changed(instead) }
}

const fn idle(
    name: &'static str,
    versions: &'static str,
    default: &'static str,
    form: Form,
    reason: &'static str,
) -> ChronosFlag {
    ChronosFlag { name, versions, default, fate: Fate::Idle(form, reason) }
}

/// A flag whose default asks for nothing.
const fn absent(
    name: &'static str,
    versions: &'static str,
    default: &'static str,
    form: Form,
    lacks: &'static Lack,
) -> ChronosFlag {
    ChronosFlag { name, versions, default, fate: Fate::Absent { form, harmless: default, lacks } }
}

/// All flags of Chronos 2.3 to 3.0.2 and of its last state.
pub(super) const FLAGS: &[ChronosFlag] = &[
    kept("master", "all", "local"),
    kept("user", "all", "root"),
    kept("failover_timeout", "all", "604800"),
    idle(
        "schedule_horizon",
        "2.x",
        "60",
        Form::Count,
        "nothing is planned ahead in rounds; each job runs when it is due",
    ),
    kept("cluster_name", "all", ""),
    ChronosFlag {
        name: "zk_hosts",
        versions: "all",
        default: "localhost:2181",
        // Whoever types Chronos' default wants the state to be there.
        fate: Fate::Absent { form: Form::Text, harmless: "", lacks: &ZOOKEEPER },
    },
    kept("hostname", "all", ""),
    idle("leader_max_idle_time", "all", "5000", Form::Count, "Chronos never used it either"),
    absent("zk_timeout", "all", "10000", Form::Count, &ZOOKEEPER),
    absent("zk_path", "all", "/chronos/state", Form::Text, &ZOOKEEPER),
    absent("zk_auth", "3.x", "", Form::Secret, &ZOOKEEPER),
    kept("mail_server", "all", ""),
    kept("mail_user", "all", ""),
    kept("mail_password", "all", ""),
    kept("mail_from", "all", ""),
    kept("mail_ssl", "all", "false"),
    idle("raven_dsn", "all", "", Form::Secret, SENTRY),
    kept("slack_url", "all", ""),
    kept("mattermost_url", "3.x", ""),
    kept("http_notification_url", "2.4 and later", ""),
    kept("http_notification_credentials", "2.4 and later", ""),
    kept("failure_retry", "all", "60000"),
    kept("disable_after_failures", "all", "0"),
    kept("mesos_task_mem", "all", "128"),
    kept("mesos_task_cpu", "all", "0.1"),
    kept("mesos_task_disk", "all", "256"),
    kept("mesos_checkpoint", "all", "true"),
    kept("mesos_role", "all", "*"),
    kept("task_epsilon", "all; without effect in 3.x", "60"),
    kept("mesos_framework_name", "all", "chronos"),
    kept("webui_url", "all", ""),
    kept("reconciliation_interval", "all", "600"),
    kept("mesos_authentication_principal", "all", ""),
    kept("mesos_authentication_secret_file", "all", ""),
    idle("revive_offers_for_new_jobs", "2.4 and later", "false", Form::Switch, REVIVES),
    changed("decline_offer_duration", "2.4 and later", "", DECLINE),
    changed("min_revive_offers_interval", "2.4 and later", "5000", REVIVE_EVERY),
    kept("disable_http", "all", "false"),
    kept("http_address", "all", "every address"),
    kept("http_port", "all", "8080; 4400 in the packages"),
    changed("https_address", "all", "every address", HTTPS_ADDRESS),
    changed("https_port", "all", "8443", HTTPS_PORT),
    changed("ssl_keystore_path", "all", "", KEYSTORE),
    changed("ssl_keystore_password", "all", "", KEYSTORE),
    kept("http_credentials", "all", ""),
    kept("http_realm", "3.x", "Mesosphere"),
    idle("http_compression", "3.x", "true", Form::Switch, COMPRESSION),
    idle("disable_http_compression", "3.x", "false", Form::Switch, COMPRESSION),
    idle("assets_path", "2.x", "", Form::Text, "no pages are served from a directory"),
    idle("cassandra_contact_points", "all", "", Form::Text, CASSANDRA),
    idle("cassandra_port", "all", "9042", Form::Count, CASSANDRA),
    idle("cassandra_user", "2.5 and later", "", Form::Text, CASSANDRA),
    idle("cassandra_password", "2.5 and later", "", Form::Secret, CASSANDRA),
    idle("cassandra_keyspace", "all", "metrics", Form::Text, CASSANDRA),
    idle("cassandra_table", "all", "chronos", Form::Text, CASSANDRA),
    idle("cassandra_stat_count_table", "all", "chronos_stat_count", Form::Text, CASSANDRA),
    idle("cassandra_consistency", "all", "ANY", Form::Text, CASSANDRA),
    idle("cassandra_ttl", "all", "31536000", Form::Count, CASSANDRA),
    kept("job_history_limit", "all", "5"),
    absent("graphite_host_port", "all", "", Form::Text, &GRAPHITE),
    absent("graphite_reporting_interval", "all", "60", Form::Count, &GRAPHITE),
    absent("graphite_group_prefix", "all", "", Form::Text, &GRAPHITE),
];
