//! The flags about a cluster.

use super::{config, print, problems, resolution};
use crate::model::Duration;

const MASTER: &[&str] = &["--master", "zk://h1,h2:2182/mesos"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    MASTER.iter().chain(more).copied().collect()
}

#[test]
fn a_cluster_is_worked_for_as_the_flags_of_chronos_say() {
    assert_eq!(config(&resolution(&[], &[])).mesos, None);
    let mesos = config(&resolution(MASTER, &[])).mesos.unwrap();
    assert_eq!((mesos.framework_name.as_str(), mesos.checkpoint), ("chronos", true));
    assert_eq!(mesos.roles, ["*"]);
    assert_eq!(mesos.failover_timeout, Duration::from_secs(604_800));
    assert_eq!(mesos.reconcile_every, Duration::from_secs(600));
    assert_eq!(mesos.decline_for, Duration::from_secs(5));
    assert_eq!(mesos.revive_every, Duration::from_secs(5));
    let given = with(&[
        "--mesos_role=batch,batch/night",
        "--mesos_checkpoint=false",
        "--failover-timeout=60",
        "--mesos_authentication_principal=chronos",
        "--mesos_authentication_secret_file=/etc/chronode/secret",
        "--mesos_framework_name=billing",
        "--decline_offer_duration=3000",
    ]);
    let mesos = config(&resolution(&given, &[])).mesos.unwrap();
    assert_eq!(mesos.roles, ["batch", "batch/night"]);
    assert_eq!((mesos.framework_name.as_str(), mesos.checkpoint), ("billing", false));
    assert_eq!(mesos.principal.as_deref(), Some("chronos"));
    assert!(mesos.secret_file.is_some());
    assert_eq!(mesos.decline_for, Duration::from_secs(3));
    // As a switch, as a value of the environment, and in a file.
    for given in [&["--mesos_checkpoint"][..], &["--mesos_checkpoint", "--log=json"]] {
        assert!(config(&resolution(&with(given), &[])).mesos.unwrap().checkpoint);
    }
    let given = resolution(MASTER, &[("CHRONODE_MESOS_CHECKPOINT", "false")]);
    assert!(!config(&given).mesos.unwrap().checkpoint);
}

#[test]
fn what_cannot_be_is_refused_with_the_flag_and_the_remedy() {
    for (given, expected) in [
        (&["--master=ftp://h"][..], "--master `ftp://h`: `ftp://` is not understood; give `zk://"),
        (&["--mesos_role="], "--mesos_role ``: give at least one role"),
        (&["--mesos_role=a b"], "--mesos_role `a b`: give roles as `batch`"),
        (
            &["--mesos_authentication_secret_file=/x"],
            "--mesos_authentication_secret_file `/x`: name whom it is the secret of too",
        ),
        (&["--reconciliation_interval=0"], "--reconciliation_interval `0`: give at least 1"),
        (&["--min_revive_offers_interval=0"], "--min_revive_offers_interval `0`: give 1 to"),
        (&["--decline_offer_duration=86400001"], "--decline_offer_duration `86400001`: give 1 to"),
        (&["--attributes=rack:a"], "--attributes `rack:a`: with --master commands run on the"),
        (&["--local_resources=auto"], "--local_resources `auto`: with --master commands run"),
        (&["--local_isolation=cgroup"], "--local_isolation `cgroup`: with --master commands run"),
    ] {
        let given = if given[0].starts_with("--master") { given.to_vec() } else { with(given) };
        let found = problems(&resolution(&given, &[]));
        assert!(found[0].starts_with(expected), "{found:?}");
    }
}

#[test]
fn a_password_in_the_address_is_shown_to_nobody() {
    let given = resolution(&["--master", "zk://chronos:s3/cr@t@h1:2181/mesos"], &[]);
    let shown = print(&given);
    assert!(shown.contains("zk://***@h1:2181/mesos"), "{shown}");
    assert!(!format!("{:?}", config(&given)).contains("s3/cr"));
    for master in ["zk://chronos:s3cr3t@h1", "http://chronos:s3cr3t@h1"] {
        let found = problems(&resolution(&["--master", master], &[]));
        assert!(!found.concat().contains("s3cr3t"), "{found:?}");
    }
}
