//! A command as a program with its arguments, and why one did not start.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;

use rustix::io::Errno;

use crate::model::Command;

/// The program to execute. Environment, directory and the rest are the caller's.
pub(super) fn build(command: &Command) -> process::Command {
    match command {
        Command::Shell { text, arguments } => {
            let mut shell = process::Command::new("/bin/sh");
            shell.arg("-c");
            if arguments.is_empty() {
                shell.arg(text);
            } else {
                // The shell fills in its parameters after it has read its text, so they are never read as text.
                shell.arg(format!("{text} \"$@\"")).arg("sh").args(arguments);
            }
            shell
        }
        Command::Program { program, arguments } => {
            let mut command = process::Command::new(program);
            command.args(arguments);
            command
        }
    }
}

/// Why the command did not start, as a sentence with its remedy.
pub(super) fn explain(error: &io::Error, command: &Command, path: &str) -> String {
    let program = match command {
        Command::Shell { .. } => "/bin/sh",
        Command::Program { program, .. } => program,
    };
    let found = find(program, path);
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    match errno {
        Some(Errno::NOENT) => match found {
            Some(found) => format!(
                "`{}` exists, but the interpreter named in its first line, or its loader, does not: correct the \
                 line or install the interpreter",
                found.display()
            ),
            None if program.contains('/') => {
                format!("there is no program `{program}`: correct the path or install it")
            }
            None => format!(
                "there is no program `{program}` in `{path}`: install it, give its \
                             whole path, or set `PATH`"
            ),
        },
        Some(Errno::ACCESS | Errno::PERM) => {
            let found = found.unwrap_or_else(|| program.into());
            format!(
                "the user may not execute `{}`: make it executable for it (`chmod +x`) and every directory above it \
                 accessible",
                found.display()
            )
        }
        Some(Errno::TOOBIG) => "arguments and environment together are larger than the system \
                                takes (128 KiB for one, in all a quarter of the stack limit): \
                                pass large data in a file"
            .to_owned(),
        Some(Errno::AGAIN | Errno::NOMEM) => format!(
            "the machine has no process to give ({error}): raise the limit on processes or run less at once"
        ),
        Some(Errno::MFILE | Errno::NFILE) => format!(
            "there are no file descriptors left ({error}): raise `ulimit -n` or run less at once"
        ),
        _ => format!("`{program}` could not be started: {error}"),
    }
}

/// Where `execvp` would have found the program.
fn find(program: &str, path: &str) -> Option<PathBuf> {
    if program.contains('/') {
        // Relative to a directory that is gone by now if it is relative; then it is simply not found.
        return Path::new(program).exists().then(|| program.into());
    }
    let candidates: Vec<PathBuf> = path
        .split(':')
        .map(|directory| Path::new(directory).join(program))
        .filter(|candidate| candidate.is_file())
        .collect();
    let is_executable = |candidate: &&PathBuf| {
        candidate.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
    };
    candidates.iter().find(is_executable).or(candidates.first()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &str) -> Command {
        Command::Program { program: name.into(), arguments: vec![] }
    }

    #[test]
    fn each_failure_names_its_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        std::fs::write(directory.path().join("script"), "#!/no/such\n").unwrap();
        let explain = |errno: Errno, name: &str| {
            explain(&io::Error::from_raw_os_error(errno.raw_os_error()), &program(name), &path)
        };
        assert!(explain(Errno::NOENT, "absent").contains(&format!("in `{path}`")));
        assert!(explain(Errno::NOENT, "/no/absent").contains("correct the path"));
        assert!(explain(Errno::NOENT, "script").contains("interpreter"));
        assert!(explain(Errno::ACCESS, "script").contains("chmod +x"));
        assert!(explain(Errno::TOOBIG, "script").contains("128 KiB"));
        assert!(explain(Errno::AGAIN, "script").contains("limit on processes"));
        assert!(explain(Errno::MFILE, "script").contains("ulimit -n"));
        assert!(explain(Errno::IO, "script").contains("could not be started"));
    }
}
