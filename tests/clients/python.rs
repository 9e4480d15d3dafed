//! Starts Python programs that talk to a scheduler, in the directory of libraries that `tests/run` fills.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::common::Server;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn program(name: &str) -> PathBuf {
    root().join("target/python/bin").join(name)
}

/// What a client is given: `host:port`.
pub(crate) fn host(server: &Server) -> &str {
    server.url.strip_prefix("http://").unwrap()
}

fn run(script: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let python = program("python");
    let missing = "the client of Chronos is not installed: run tests/run, which installs it";
    let mut command = Command::new(&python);
    command.arg(script).args(args).envs(env.iter().copied()).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("PYTHONIOENCODING", "utf-8");
    // The scheduler is on loopback; a proxy of the machine has nothing to do with it.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.to_ascii_lowercase().ends_with("_proxy")) {
            command.env_remove(name);
        }
    }
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}: {missing}", python.display()));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("ModuleNotFoundError"), "{told}{missing}");
    output
}

/// What `chronos_python.py` prints about this scheduler; `args` are those of the script but for the host.
pub(crate) fn drive(server: &Server, args: &[&str], env: &[(&str, &str)]) -> String {
    let (what, more) = args.split_first().unwrap();
    let args = [&[what, host(server)], more].concat();
    let output = run(&root().join("tests/clients/chronos_python.py"), &args, env);
    let told = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{args:?}\n{told}{errors}");
    told
}

/// Runs a program that comes with the client.
pub(crate) fn tool(name: &str, args: &[&str]) -> Output {
    let script = program(name);
    assert!(script.exists(), "no {}: run tests/run, which installs it", script.display());
    run(&script, args, &[])
}
