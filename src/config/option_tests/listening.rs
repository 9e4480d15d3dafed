//! Options of how clients are listened to: what they may take, and where TLS is spoken.

use super::{config, problems, resolution};

#[test]
fn limits_have_bounds_of_their_own() {
    let limits = config(&resolution(&[], &[])).limits;
    assert_eq!((limits.jobs, limits.clients), (200_000, crate::api::Limits::default()));

    let given = [
        "--max_jobs=7",
        "--max_connections=8",
        "--max_header_bytes=9000",
        "--max_body_bytes=10000",
        "--handshake_time=11",
        "--header_time=12",
        "--body_time=13",
        "--stall_time=14",
    ];
    let limits = config(&resolution(&given, &[])).limits;
    let clients = limits.clients;
    assert_eq!((limits.jobs, clients.connections), (7, 8));
    assert_eq!((clients.header_bytes, clients.body.bytes), (9_000, 10_000));
    let times =
        [clients.handshake_time, clients.header_time, clients.body.time, clients.stall_time];
    assert_eq!(times.map(|time| time.as_secs()), [11, 12, 13, 14]);

    for (flag, value, expected) in [
        ("max_jobs", "0", "give a number from 1 to 10000000"),
        ("max_jobs", "10000001", "give a number from 1 to 10000000"),
        ("max_connections", "0", "give a number from 1 to 65535"),
        ("max_connections", "65536", "give a number from 1 to 65535"),
        ("max_header_bytes", "1023", "give a number from 1024 to 262144"),
        ("max_header_bytes", "262145", "give a number from 1024 to 262144"),
        ("max_body_bytes", "1023", "give a number from 1024 to 1073741824"),
        ("max_body_bytes", "1073741825", "give a number from 1024 to 1073741824"),
        ("handshake_time", "0", "give a number from 1 to 3600"),
        ("header_time", "0", "give a number from 1 to 3600"),
        ("body_time", "3601", "give a number from 1 to 3600"),
        ("stall_time", "0", "give a number from 1 to 3600"),
    ] {
        let args = [format!("--{flag}"), value.to_owned()];
        let found = problems(&resolution(&args.each_ref().map(String::as_str), &[]));
        assert_eq!(found, [format!("--{flag} `{value}`: {expected}")]);
    }
    let found = problems(&resolution(&[], &[("CHRONODE_MAX_JOBS", "many")]));
    assert!(found[0].starts_with("CHRONODE_MAX_JOBS `many`: "), "{found:?}");
}

/// Chronos' packages set the port, with a keystore or without.
#[test]
fn where_tls_would_be_spoken_is_no_matter_without_it() {
    let resolution =
        resolution(&["--https_port", "8443"], &[("CHRONODE_HTTPS_ADDRESS", "0.0.0.0")]);
    assert!(config(&resolution).security.tls.is_none());
    let warnings = resolution.warnings();
    for place in ["CHRONODE_HTTPS_ADDRESS", "--https_port"] {
        let expected = format!("{place} has no effect without TLS");
        assert!(warnings.iter().any(|it| it.starts_with(&expected)), "{expected}: {warnings:?}");
    }
}

#[test]
fn where_tls_is_spoken_is_not_warned_of() {
    let tls = ["--https_port", "8443", "--tls_certificate", "/c.pem", "--tls_key", "/c.key"];
    let resolution = resolution(&tls, &[]);
    assert!(config(&resolution).security.tls.is_some());
    assert_eq!(resolution.warnings(), Vec::<String>::new());
}
