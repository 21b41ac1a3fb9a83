//! The public parity suite: its expectations were recorded from the service in spring 2026.

use super::{Outcomes, Result, Run, Source, Suite, client, command};
use serde_json::Value;
use std::process::{Command, Stdio};

pub const SUITE: Suite = Suite {
    name: "parity",
    source: Some(Source {
        repository: "https://github.com/nubo-db/dynamodb-conformance",
        commit: "0ba4393668860db921afa5728feffe68b55e3e93",
    }),
    expected: include_str!("parity.expected"),
    run,
};

fn run(run: &Run<'_>) -> Result<Outcomes> {
    if !run.checkout.join("node_modules").exists() {
        let mut install = Command::new("npm");
        install.args(["install", "--no-package-lock", "--no-audit", "--no-fund"]);
        command(install.current_dir(run.checkout))?;
    }
    let report = run.work.join("report.json");
    let _ = std::fs::remove_file(&report);
    let mut vitest = Command::new("npx");
    vitest.args(["vitest", "run", "--reporter=json"]).arg(format!("--outputFile={}", report.display()));
    // Its status only says whether something failed; the report says what.
    client(&mut vitest, run).env("DYNAMODB_ENDPOINT", run.url).stdout(Stdio::null()).status()?;
    let report: Value = serde_json::from_slice(&std::fs::read(&report)?)?;
    let files = report["testResults"].as_array().ok_or("the report names no files")?;
    let tests = files.iter().flat_map(|file| file["assertionResults"].as_array().into_iter().flatten());
    // A test that skips itself for want of a feature is one that fails.
    let outcome = |test: &Value| {
        let name = test["fullName"].as_str().unwrap_or_default().trim().to_owned();
        (name, test["status"] == "passed")
    };
    Ok(tests.map(outcome).collect())
}
