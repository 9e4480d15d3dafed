//! Ways to break the engine on purpose, each in a file of `tests/mutations/`, and whether the simulator notices.
//!
//! A file begins with a sentence that says what is broken. Then come one or more changes of the source, each with the
//! file, the text to find, which must be there exactly once, and the text to put in its place:
//!
//! ```text
//! The store takes batches of leaders that are deposed.
//!
//! file: src/store/memory.rs
//! --- find
//!         if batch.term < self.term {
//! --- put
//!         if false {
//! --- end
//! ```
//!
//! Where the simulator does not look, the sentence is followed by a line of its own, `test: ` and words that choose
//! tests of the library, which have to notice it: `test: engine::tests::clock`.
//!
//! Every run of the tests checks that the files can be read and still fit the source. `tests/long mutations` applies
//! one after the other to a copy of the tree and plays the fixed seeds of the simulator, or those tests. `CHRONODE_MUTATION` chooses
//! one, and `CHRONODE_SIM_SEEDS` how many seeds are played.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// There are at least so many.
const LEAST: usize = 15;
/// How long one may take to build and to be noticed.
const PATIENCE: &str = "1800";

/// A way to break the engine.
#[derive(Debug, PartialEq, Eq)]
struct Mutation {
    name: String,
    /// What is broken, as a sentence.
    sentence: String,
    /// The tests of the library that notice it; `None` is the simulator.
    tests: Option<String>,
    changes: Vec<Change>,
}

/// One text in place of another.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    file: String,
    find: String,
    put: String,
}

/// What became of one.
enum Fate {
    /// The first violation, and the seed or the test that it was found by.
    Caught(String, String),
    Survives,
    /// It proves nothing, for this reason.
    Broken(String),
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Mutation {
    fn read(name: &str, text: &str) -> Result<Self, String> {
        let (sentence, rest) = text.split_once("\n\n").ok_or("there is no sentence")?;
        let sentence = sentence.replace('\n', " ");
        if !sentence.ends_with('.') {
            return Err(format!("`{sentence}` is no sentence"));
        }
        let mut changes = Vec::new();
        let mut rest = rest.trim_start();
        let mut tests = None;
        if let Some((line, after)) = rest.split_once('\n')
            && let Some(chosen) = line.strip_prefix("test: ")
        {
            (tests, rest) = (Some(chosen.to_owned()), after.trim_start());
        }
        while !rest.is_empty() {
            let (change, after) = Change::read(rest)?;
            changes.push(change);
            rest = after.trim_start();
        }
        if changes.is_empty() {
            return Err("it changes nothing".to_owned());
        }
        Ok(Self { name: name.to_owned(), sentence, tests, changes })
    }

    fn all() -> Vec<Result<Self, String>> {
        let folder = root().join("tests/mutations");
        let entries = fs::read_dir(folder).expect("the folder is there");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
        paths.sort();
        let read = |path: PathBuf| {
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            let text = fs::read_to_string(&path).expect("a text");
            Self::read(&name, &text).map_err(|why| format!("{name}: {why}"))
        };
        paths.into_iter().map(read).collect()
    }

    /// Why it does not fit the tree below `root`, if it does not.
    fn misfit(&self, root: &Path) -> Option<String> {
        self.changes.iter().find_map(|change| change.apply(root).err())
    }

    /// Changes the tree below `root`.
    fn apply(&self, root: &Path) -> Result<(), String> {
        for change in &self.changes {
            let changed = change.apply(root)?;
            fs::write(root.join(&change.file), changed).expect("a copy can be written");
        }
        Ok(())
    }
}

impl Change {
    /// Reads one, and gives back what follows it.
    fn read(text: &str) -> Result<(Self, &str), String> {
        let (file, rest) = text.split_once('\n').ok_or("it ends with the name of a file")?;
        let file = file.strip_prefix("file: ").ok_or_else(|| format!("`{file}` is no `file: `"))?;
        let rest = rest.strip_prefix("--- find\n").ok_or("there is no `--- find`")?;
        let (find, rest) = rest.split_once("--- put\n").ok_or("there is no `--- put`")?;
        let (put, rest) = rest.split_once("--- end\n").ok_or("there is no `--- end`")?;
        if find.is_empty() || find == put {
            return Err(format!("it finds nothing or changes nothing in {file}"));
        }
        let change = Self { file: file.to_owned(), find: find.to_owned(), put: put.to_owned() };
        Ok((change, rest))
    }

    /// The file as it is afterwards.
    fn apply(&self, root: &Path) -> Result<String, String> {
        let Self { file, find, put } = self;
        let text = fs::read_to_string(root.join(file)).map_err(|why| format!("{file}: {why}"))?;
        match text.matches(find.as_str()).count() {
            1 => Ok(text.replacen(find.as_str(), put, 1)),
            count => Err(format!("{file} has this {count} times:\n{find}")),
        }
    }
}

#[test]
fn every_mutation_can_be_read_and_fits_the_source() {
    let mut violations = Vec::new();
    let mut sentences = BTreeSet::new();
    let mut count = 0;
    for mutation in Mutation::all() {
        count += 1;
        match mutation {
            Ok(mutation) => {
                let misfit = mutation.misfit(root());
                violations.extend(misfit.map(|why| format!("{}: {why}", mutation.name)));
                if !sentences.insert(mutation.sentence) {
                    violations.push(format!("{}: another says the same", mutation.name));
                }
            }
            Err(why) => violations.push(why),
        }
    }
    assert!(violations.is_empty(), "in tests/mutations:\n{}", violations.join("\n"));
    assert!(count >= LEAST, "there are only {count}");
}

#[test]
fn a_mutation_is_read_with_all_its_lines() {
    let text = "Both halves\nare broken.\n\nfile: a.rs\n--- find\none\n  two\n--- put\n--- end\n\n\
                file: b.rs\n--- find\nx\n--- put\ny\n\n--- end\n";
    let change = |file: &str, find: &str, put: &str| Change {
        file: file.to_owned(),
        find: find.to_owned(),
        put: put.to_owned(),
    };
    let expected = Mutation {
        name: "both".to_owned(),
        sentence: "Both halves are broken.".to_owned(),
        tests: None,
        changes: vec![change("a.rs", "one\n  two\n", ""), change("b.rs", "x\n", "y\n\n")],
    };
    assert_eq!(Mutation::read("both", text), Ok(expected));
    let text = text.replace("\n\nfile: a.rs", "\n\ntest: engine::tests\n\nfile: a.rs");
    let read = Mutation::read("both", &text).unwrap();
    assert_eq!((read.tests.as_deref(), read.changes.len()), (Some("engine::tests"), 2));
    for broken in [
        "No sentence\n\nfile: a.rs\n--- find\nx\n--- put\ny\n--- end\n",
        "Nothing follows.\n\n",
        "Changes nothing.\n\nfile: a.rs\n--- find\nx\n--- put\nx\n--- end\n",
        "Finds nothing.\n\nfile: a.rs\n--- find\n--- put\nx\n--- end\n",
        "Has no end.\n\nfile: a.rs\n--- find\nx\n--- put\ny\n",
        "Names no file.\n\n--- find\nx\n--- put\ny\n--- end\n",
    ] {
        assert!(Mutation::read("broken", broken).is_err(), "{broken}");
    }
}

/// A copy of the tree, in which things are broken. What is built stays, so that a mutation costs what it changes.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// What git knows of, or would if it were asked to.
    fn new() -> Self {
        let home = root().join("target/mutations");
        let copy = Self { tree: home.join("tree"), target: home.join("target") };
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .expect("git is there");
        assert!(listed.status.success(), "git does not list the tree");
        let names = String::from_utf8(listed.stdout).expect("names are text");
        let names: BTreeSet<PathBuf> = names
            .split_terminator('\0')
            .map(PathBuf::from)
            .filter(|name| root().join(name).is_file())
            .collect();
        for name in &names {
            let text = fs::read(root().join(name)).expect("a file that was listed");
            let to = copy.tree.join(name);
            // What is as it was is not built again.
            if fs::read(&to).is_ok_and(|there| there == text) {
                continue;
            }
            fs::create_dir_all(to.parent().expect("it is below the copy")).expect("a folder");
            fs::write(to, text).expect("a copy can be written");
        }
        copy.remove_others(&copy.tree, &names);
        copy
    }

    fn remove_others(&self, folder: &Path, names: &BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of the copy") {
            let path = entry.expect("a file").path();
            let name = path.strip_prefix(&self.tree).expect("it is below the copy");
            if path.is_dir() {
                self.remove_others(&path, names);
            } else if !names.contains(name) {
                fs::remove_file(&path).expect("a file of the copy");
            }
        }
    }

    /// Puts back what a mutation has changed.
    fn restore(&self, mutation: &Mutation) {
        for Change { file, .. } in &mutation.changes {
            fs::copy(root().join(file), self.tree.join(file)).expect("a copy can be written");
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=10", PATIENCE, "cargo", "test", "--locked", "--all-features"])
            .args(arguments)
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never")
            .env("RUST_BACKTRACE", "0")
            // The first seed that fails is enough.
            .env("CHRONODE_SIM_FAILURES", "1");
        command.output().expect("timeout is there")
    }

    /// Whether these tests of the library notice it, or the simulator.
    fn play(&self, tests: Option<&str>) -> Fate {
        let built = match tests {
            Some(_) => self.cargo(&["--lib", "--no-run"]),
            None => self.cargo(&["--test", "sim", "--no-run"]),
        };
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        if !built.status.success() {
            let error = said.lines().find(|line| line.starts_with("error")).unwrap_or(&said);
            return Fate::Broken(format!("it does not compile: {error}"));
        }
        if let Some(tests) = tests {
            return self.check(tests);
        }
        let played = self.cargo(&["--test", "sim", "whatever_fails", "--", "--nocapture"]);
        let said = String::from_utf8_lossy(&played.stderr).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let again = lines.iter().position(|line| line.contains("CHRONODE_SIM_SEED="));
        match again {
            _ if played.status.success() => Fate::Survives,
            Some(at) if at > 0 => {
                let seed = lines[at].trim().split(' ').next().unwrap_or_default();
                let seed = seed.trim_start_matches("CHRONODE_SIM_SEED=");
                let violation = lines[at - 1].chars().take(200).collect();
                Fate::Caught(violation, format!("seed {seed}"))
            }
            Some(_) | None => {
                let last = lines.last().copied().unwrap_or_default();
                Fate::Broken(format!("the simulator does not come to an end: {last}"))
            }
        }
    }
}

impl Copy {
    /// Runs tests of the library that are built.
    fn check(&self, tests: &str) -> Fate {
        let mut arguments = vec!["--lib", "--"];
        arguments.extend(tests.split_whitespace());
        let played = self.cargo(&arguments);
        let said = String::from_utf8_lossy(&played.stdout).into_owned();
        let failed = said.lines().find_map(|line| {
            line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"))
        });
        match failed {
            _ if played.status.success() && said.contains("test result: ok. 0 passed") => {
                Fate::Broken(format!("there is no test called {tests}"))
            }
            _ if played.status.success() => Fate::Survives,
            Some(test) => Fate::Caught("it fails".to_owned(), test.to_owned()),
            None => Fate::Broken("the tests do not come to an end".to_owned()),
        }
    }
}

#[test]
#[ignore = "takes minutes for each: tests/long mutations"]
#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn every_mutation_is_caught() {
    let chosen = std::env::vars().find(|(key, _)| key == "CHRONODE_MUTATION");
    let is_chosen = |name: &str| chosen.as_ref().is_none_or(|(_, chosen)| chosen == name);
    let mutations: Vec<Mutation> = Mutation::all()
        .into_iter()
        .map(|mutation| mutation.expect("another test says what is wrong with it"))
        .filter(|mutation| is_chosen(&mutation.name))
        .collect();
    assert!(!mutations.is_empty(), "there is no mutation of that name");
    let copy = Copy::new();
    let suites: BTreeSet<Option<&str>> = mutations.iter().map(|it| it.tests.as_deref()).collect();
    for tests in suites {
        match copy.play(tests) {
            Fate::Survives => {}
            Fate::Caught(violation, by) => panic!("{by} fails as it is: {violation}"),
            Fate::Broken(why) => panic!("as it is, {why}"),
        }
    }
    let mut failed = Vec::new();
    for mutation in &mutations {
        let Mutation { name, sentence, tests, .. } = mutation;
        let applied = mutation.apply(&copy.tree);
        let fate = applied.map_or_else(Fate::Broken, |()| copy.play(tests.as_deref()));
        copy.restore(mutation);
        println!("{name}: {sentence}");
        match fate {
            Fate::Caught(violation, by) => println!("    caught by {by}: {violation}"),
            Fate::Survives => {
                println!("    SURVIVES");
                failed.push(format!("{name} survives"));
            }
            Fate::Broken(why) => {
                println!("    BROKEN: {why}");
                failed.push(format!("{name}: {why}"));
            }
        }
    }
    println!("{} of {} caught", mutations.len() - failed.len(), mutations.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
