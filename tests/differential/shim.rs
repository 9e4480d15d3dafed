//! The shim that gives Debian's cron another clock and other files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The shim, compiled once.
pub(crate) fn path() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("clock_shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/clock_shim.c");
        let mut compiler = Command::new("gcc");
        compiler.args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]).arg(&path);
        let status = compiler.arg(source).arg("-ldl").status();
        let status = status.unwrap_or_else(|error| {
            panic!("cannot start gcc: {error}: run tests/run, which installs it")
        });
        assert!(status.success(), "the shim does not compile");
        (directory, path)
    });
    path
}
