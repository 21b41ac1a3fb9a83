//! `cargo xtask conformance parity|moto|sdk [CHECKOUT]`: suites against a server that is started for them.
//!
//! Without a checkout, the suite is cloned at its pinned commit below `target/`. What may fail is listed with its reason in
//! `<suite>.expected`; anything else that fails is an error, and so is something listed that passes.

mod moto;
mod parity;
mod sdk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Node, TempDir};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Suite {
    name: &'static str,
    /// Where its tests are; none where they are ours.
    source: Option<Source>,
    /// A failing test and the reason, one a line, with ` | ` between.
    expected: &'static str,
    run: fn(&Run<'_>) -> Result<Outcomes>,
}

struct Source {
    repository: &'static str,
    commit: &'static str,
}

/// Whether each test passed. Tests that were skipped are not among them.
type Outcomes = BTreeMap<String, bool>;

struct Run<'a> {
    checkout: &'a Path,
    /// Where what the suite needs, and what it says, is kept.
    work: &'a Path,
    url: &'a str,
}

pub fn run(arguments: &[String]) -> Result<()> {
    let [name, checkout @ ..] = arguments else {
        return Err("which suite? parity, moto or sdk, and perhaps a checkout of it".into());
    };
    let suites = [parity::SUITE, moto::SUITE, sdk::SUITE];
    let suite =
        suites.iter().find(|suite| suite.name == name).ok_or("the suites are parity, moto and sdk")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let work = root.join("target/conformance").join(suite.name);
    std::fs::create_dir_all(&work)?;
    let work = work.canonicalize()?;
    let checkout = match (checkout.first(), &suite.source) {
        (Some(path), _) => PathBuf::from(path).canonicalize()?,
        (None, Some(source)) => clone(source, &work)?,
        (None, None) => work.clone(),
    };
    command(Command::new("cargo").args(["build", "--quiet", "-p", "millstream"]).current_dir(&root))?;
    let data = TempDir::new("conformance");
    let binary = root.join("target/debug/millstream");
    let node = Node::start(&binary.to_string_lossy(), data.path(), &[]);
    let run = Run { checkout: &checkout, work: &work, url: &node.url() };
    let outcomes = (suite.run)(&run)?;
    node.stop();
    judge(suite, &outcomes)
}

fn clone(source: &Source, work: &Path) -> Result<PathBuf> {
    let checkout = work.join("checkout");
    if !checkout.join(".git").exists() {
        println!("cloning {}", source.repository);
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet", "--filter=blob:none", "--no-checkout", source.repository]);
        command(clone.arg(&checkout))?;
    }
    let mut at = Command::new("git");
    command(at.arg("-C").arg(&checkout).args(["checkout", "--quiet", "--force", source.commit]))?;
    Ok(checkout)
}

fn judge(suite: &Suite, outcomes: &Outcomes) -> Result<()> {
    let expected: BTreeMap<&str, &str> =
        suite.expected.lines().filter_map(|line| line.split_once(" | ")).collect();
    let passed = outcomes.values().filter(|passed| **passed).count();
    let mut wrong = Vec::new();
    for (test, passed) in outcomes {
        match (passed, expected.get(test.as_str())) {
            (false, None) => wrong.push(format!("fails: {test}")),
            (true, Some(_)) => wrong.push(format!("passes, but is listed as failing: {test}")),
            (false, Some(reason)) => println!("expected to fail: {test}: {reason}"),
            (true, None) => {}
        }
    }
    for test in expected.keys().filter(|test| !outcomes.contains_key(**test)) {
        wrong.push(format!("is listed as failing, but was not run: {test}"));
    }
    println!("{}: {passed} of {} pass", suite.name, outcomes.len());
    if outcomes.is_empty() {
        return Err("no test was run".into());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Runs a command that must succeed.
fn command(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// The environment of a client of the server: any key will do.
fn client<'c>(command: &'c mut Command, run: &Run<'_>) -> &'c mut Command {
    command
        .env("AWS_ACCESS_KEY_ID", "conformance")
        .env("AWS_SECRET_ACCESS_KEY", "conformance")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_REGION", "us-east-1")
        .current_dir(run.checkout)
}
