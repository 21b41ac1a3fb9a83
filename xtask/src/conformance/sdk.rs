//! The same operations through the clients that people use: boto3's resource layer and the AWS CLI, the SDK for JavaScript's document
//! client, the SDK for Go. Clients that are not installed are fetched once, below `target/`.

use super::{Outcomes, Result, Run, Suite, client, command};
use std::process::Command;

pub const SUITE: Suite = Suite { name: "sdk", source: None, expected: "", run };

const PYTHON: &str = include_str!("sdk/sweep.py");
const JAVASCRIPT: &str = include_str!("sdk/sweep.mjs");
const GO: &str = include_str!("sdk/sweep.go");
const MODULES: [&str; 4] = ["aws", "config", "feature/dynamodb/attributevalue", "service/dynamodb"];

fn run(run: &Run<'_>) -> Result<Outcomes> {
    let mut outcomes = python(run)?;
    outcomes.extend(javascript(run)?);
    outcomes.extend(go(run)?);
    Ok(outcomes)
}

fn python(run: &Run<'_>) -> Result<Outcomes> {
    let bin = run.work.join("venv/bin");
    if !bin.join("aws").exists() {
        command(Command::new("python3").args(["-m", "venv"]).arg(run.work.join("venv")))?;
        command(
            Command::new(bin.join("python")).args(["-m", "pip", "install", "--quiet", "boto3", "awscli"]),
        )?;
    }
    std::fs::write(run.work.join("sweep.py"), PYTHON)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut sweep = Command::new(bin.join("python"));
    sweep.arg("sweep.py").env("PATH", format!("{}:{path}", bin.display()));
    steps(run, &mut sweep)
}

fn javascript(run: &Run<'_>) -> Result<Outcomes> {
    if !run.work.join("node_modules/@aws-sdk/lib-dynamodb").exists() {
        let packages = ["@aws-sdk/client-dynamodb@3", "@aws-sdk/lib-dynamodb@3"];
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix", "."]).args(packages);
        command(install.current_dir(run.work))?;
    }
    std::fs::write(run.work.join("sweep.mjs"), JAVASCRIPT)?;
    steps(run, Command::new("node").arg("sweep.mjs"))
}

fn go(run: &Run<'_>) -> Result<Outcomes> {
    std::fs::write(run.work.join("sweep.go"), GO)?;
    if !run.work.join("go.mod").exists() {
        command(Command::new("go").args(["mod", "init", "sweep"]).current_dir(run.work))?;
        let modules = MODULES.map(|module| format!("github.com/aws/aws-sdk-go-v2/{module}"));
        command(Command::new("go").arg("get").args(modules).current_dir(run.work))?;
    }
    steps(run, Command::new("go").args(["run", "sweep.go"]))
}

/// Runs a sweep, which tells a line for each of its steps: `PASSED <step>`, or `FAILED <step> - why`.
fn steps(run: &Run<'_>, sweep: &mut Command) -> Result<Outcomes> {
    let output = client(sweep, run).current_dir(run.work).env("AWS_ENDPOINT_URL", run.url).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut outcomes = Outcomes::new();
    for line in text.lines() {
        if let Some(step) = line.strip_prefix("PASSED ") {
            outcomes.insert(step.to_owned(), true);
        } else if let Some((step, _)) = line.strip_prefix("FAILED ").and_then(|rest| rest.split_once(" - ")) {
            eprintln!("{line}");
            outcomes.insert(step.to_owned(), false);
        }
    }
    // One that failed without a word, or before its end, is not taken for passed.
    if outcomes.is_empty() || !output.status.success() && outcomes.values().all(|passed| *passed) {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{sweep:?}: {}: {why}", output.status).into());
    }
    Ok(outcomes)
}
