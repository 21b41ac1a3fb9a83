//! `cargo xtask suite cdk [PART…]`: the stock CDK against servers that are started for it; slow, and needs npm and Go.
//! `cargo xtask suite kcl`: a worker of the Kinesis Client Library.
//! `cargo xtask suite cgroup`: what control groups hold, in a virtual machine.
//! `cargo xtask suite consumers`: functions built with SDKs, and a walk over shards with boto3.
//! `cargo xtask suite databases [DIRECTORY…]`: databases of other versions than the installed ones.
//!
//! Parts are `app`, which has one of everything that the CDK packages differently, `providers`, which has what the CDK does by
//! functions of its own, and the examples that are applications of the CDK. Without a part, all are run.

mod app;
mod cdk;
mod cgroup;
mod consumers;
mod databases;
mod kcl;
mod providers;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use testkit::{Node, TempDir};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub fn run(arguments: &[String]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    match arguments.split_first().map(|(name, parts)| (name.as_str(), parts)) {
        Some(("cdk", wanted)) => run_cdk(&root, wanted),
        Some(("kcl", [])) => kcl::run(&root, &build(&root)?),
        Some(("databases", given)) => databases::run(&root, given),
        Some(("cgroup", [])) => cgroup::run(&root, &build(&root)?),
        Some(("consumers", [])) => consumers::run(&root, &build(&root)?),
        _ => Err(
            "which suite? cgroup, consumers, databases, kcl, or cdk and perhaps its parts: app, providers, or names of examples"
                .into(),
        ),
    }
}

/// Builds the server; where it lies.
fn build(root: &Path) -> Result<String> {
    succeed(Command::new("cargo").args(["build", "--quiet", "-p", "millstream"]).current_dir(root))?;
    Ok(root.join("target/debug/millstream").to_string_lossy().into_owned())
}

fn run_cdk(root: &Path, wanted: &[String]) -> Result<()> {
    let examples = examples(root)?;
    let known: Vec<&str> =
        ["app", "providers"].into_iter().chain(examples.iter().map(String::as_str)).collect();
    if let Some(unknown) = wanted.iter().find(|part| !known.contains(&part.as_str())) {
        return Err(format!("no part is called {unknown}; there are {}", known.join(", ")).into());
    }
    let binary = build(root)?;
    let mut failed = Vec::new();
    for part in known.into_iter().filter(|part| wanted.is_empty() || wanted.iter().any(|name| name == part)) {
        println!("\n=== {part}");
        let data = TempDir::new("suite");
        let environment = if part == "providers" { providers::environment(root)? } else { Vec::new() };
        let node = Node::start_with(&binary, data.path(), &[], &environment);
        let outcome = match part {
            "app" => cdk::run(root, &node),
            "providers" => providers::run(root, &node),
            _ => example(root, part, &node),
        };
        node.stop();
        match outcome {
            Ok(()) => println!("=== {part}: passed"),
            Err(error) => {
                println!("=== {part}: {error}");
                failed.push(part);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// The examples that are applications of the CDK, in order.
fn examples(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join("examples"))? {
        let path = entry?.path();
        let has = |file: &str| path.join(file).exists();
        if has("run.sh") && (has("cdk.json") || has("cdk/cdk.json")) {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Runs an example as its reader does; it ends well only if it leaves nothing.
fn example(root: &Path, name: &str, node: &Node) -> Result<()> {
    let script: PathBuf =
        [root, Path::new("examples"), Path::new(name), Path::new("run.sh")].iter().collect();
    succeed(client(&mut Command::new(script), node))?;
    let left = app::left(node)?;
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", ")).into()) }
}

/// The environment of a client of the server: any key will do.
fn client<'c>(command: &'c mut Command, node: &Node) -> &'c mut Command {
    command
        .env("AWS_ENDPOINT_URL", node.url())
        .env("AWS_ACCESS_KEY_ID", "suite")
        .env("AWS_SECRET_ACCESS_KEY", "suite")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_REGION", "us-east-1")
        .env("CDK_DISABLE_CLI_TELEMETRY", "true")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
}

/// What a program prints, as it prints it. Bytes that are no text end nothing.
fn lines(program: &mut Child) -> Result<Receiver<String>> {
    let output = program.stdout.take().ok_or("the program has no output")?;
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(std::io::Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    Ok(lines)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
