//! moto's DynamoDB tests that are marked as verified against AWS.

use super::{Outcomes, Result, Run, Source, Suite, client, command};
use std::process::Command;

pub const SUITE: Suite = Suite {
    name: "moto",
    source: Some(Source {
        repository: "https://github.com/getmoto/moto",
        commit: "0af643a5dbfc98797f08ee64f5be3ef8002d56ff",
    }),
    expected: include_str!("moto.expected"),
    run,
};

/// What the tests import.
const PACKAGES: [&str; 4] = ["moto[dynamodb,s3]", "boto3", "pytest", "freezegun"];

fn run(run: &Run<'_>) -> Result<Outcomes> {
    let python = run.work.join("venv/bin/python");
    if !python.exists() {
        command(Command::new("python3").args(["-m", "venv"]).arg(run.work.join("venv")))?;
        command(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    }
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "tests/test_dynamodb", "-m", "aws_verified"]);
    // It tests moto's own server, and needs more than the others.
    pytest.arg("--ignore=tests/test_dynamodb/test_server.py");
    pytest.args(["--quiet", "-r", "pfE", "--tb=no", "-W", "ignore", "-p", "no:cacheprovider"]);
    client(&mut pytest, run)
        .env("AWS_ENDPOINT_URL", run.url)
        .env("MOTO_TEST_ALLOW_AWS_REQUEST", "true")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = pytest.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    std::fs::write(run.work.join("report.txt"), text.as_bytes())?;
    Ok(text.lines().filter_map(outcome).collect())
}

/// `PASSED tests/…::test`, or `FAILED tests/…::test - why`.
fn outcome(line: &str) -> Option<(String, bool)> {
    let (word, rest) = line.split_once(' ')?;
    let passed = match word {
        "PASSED" => true,
        "FAILED" | "ERROR" => false,
        _ => return None,
    };
    let test = rest.split(" - ").next()?;
    let test = test.strip_prefix("tests/test_dynamodb/")?;
    Some((test.to_owned(), passed))
}
