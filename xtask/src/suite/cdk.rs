//! The application below `xtask/suites/cdk`, through its whole life.

use super::Result;
use super::app::{App, expect, left};
use serde_json::json;
use std::path::Path;
use testkit::Node;

/// What the first deployment to a fresh server may take beyond the synthesis, on two cores.
const DEPLOYMENT_S_MAX: f64 = 10.0;

pub(super) fn run(root: &Path, node: &Node) -> Result<()> {
    let mut app = App::prepared(root, "cdk", node, "Suite")?;
    std::fs::write(app.dir.join("broken.zip"), "no archive")?;
    // The Go functions are those of an example.
    let functions = root.join("examples/users-by-place/functions");
    app.context = vec!["-c".to_owned(), format!("functions={}", functions.display())];
    app.cdk("bootstrap", &["bootstrap", "aws://123456789012/us-east-1"])?;
    deploys(&app)?;
    works(&app, "zip, first: none")?;
    changes_nothing(&app)?;
    tells_the_difference(&app)?;
    app.deploy("a change", "one", &[])?;
    works(&app, "zip, first: one")?;
    swaps(&app)?;
    rolls_back(&app)?;
    is_taken_away(&app)
}

fn deploys(app: &App<'_>) -> Result<()> {
    let said = app.deploy("the first deployment", "none", &[])?;
    let time = said.split_once("Deployment time: ").and_then(|(_, rest)| rest.split('s').next());
    let seconds: f64 = time.ok_or("no deployment time was told")?.trim().parse()?;
    if seconds > DEPLOYMENT_S_MAX {
        println!(
            "slow: {seconds} s; on a machine with nothing else to do, {DEPLOYMENT_S_MAX} s are the limit"
        );
    }
    Ok(())
}

/// Every function does its work, and the stream reaches the last of them.
fn works(app: &App<'_>, zip: &str) -> Result<()> {
    expect("the inline function", &app.invoked("Inline")?, "\"inline\"")?;
    expect("the packaged function", &app.invoked("Zip")?, &format!("\"{zip}\""))?;
    let path = format!("{}/items/first", app.path("Url")?);
    let answer = app.node.client().send("PUT", &path, "", b"")?;
    expect("the API", &format!("{} {}", answer.status, answer.text()), "201 first")?;
    let group = format!("/aws/lambda/{}", app.output("Go")?);
    for _ in 0..100 {
        let asked = json!({ "logGroupName": group, "filterPattern": "ResourceNotFoundException" });
        let found = app.node.client().json("logs", "Logs_20140328.FilterLogEvents", &asked)?.json();
        if found["events"].as_array().is_some_and(|events| !events.is_empty()) {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    Err("the stream did not reach the Go function".into())
}

fn changes_nothing(app: &App<'_>) -> Result<()> {
    let before = app.described()?;
    let said = app.deploy("the same again", "none", &[])?;
    if !said.contains("(no changes)") || app.described()? != before {
        return Err(format!("an unchanged deployment changed something\n{said}").into());
    }
    app.no_change_sets()
}

fn tells_the_difference(app: &App<'_>) -> Result<()> {
    let before = app.described()?;
    let (differs, said) = app.tried(&["diff", "--fail", "-c", "change=one"])?;
    if differs || !said.contains("[~] AWS::Lambda::Function") || app.described()? != before {
        return Err(format!("diff\n{said}").into());
    }
    let (same, said) = app.tried(&["diff", "--fail", "-c", "change=none"])?;
    if !same {
        return Err(format!("diff, where there is none\n{said}").into());
    }
    println!("diff: told");
    app.no_change_sets()
}

/// Only the function is told of its new package.
fn swaps(app: &App<'_>) -> Result<()> {
    let file = app.dir.join("functions/zip/index.py");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace("zip, first", "zip, second"))?;
    let before = app.described()?;
    app.deploy("hotswap", "one", &["--hotswap"])?;
    if app.described()? != before {
        return Err("a hotswap changed the stack".into());
    }
    works(app, "zip, second: one")
}

fn rolls_back(app: &App<'_>) -> Result<()> {
    let (success, said) = app.tried(&["deploy", "--require-approval", "never", "-c", "change=broken"])?;
    if success || !app.described()?.contains("<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus>") {
        return Err(format!("a broken package\n{said}").into());
    }
    println!("a broken package: rolled back");
    // The stack's own words again, not what was swapped past it.
    works(app, "zip, first: one").or_else(|_| works(app, "zip, second: one"))
}

fn is_taken_away(app: &App<'_>) -> Result<()> {
    app.cdk("destroy", &["destroy", "--force"])?;
    let left = left(app.node)?;
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", ")).into()) }
}
