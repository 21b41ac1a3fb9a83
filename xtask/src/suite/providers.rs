//! The application below `xtask/suites/providers`: what the CDK does by functions of its own, and a stack in a stack.

use super::Result;
use super::app::{App, expect, install, left};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use testkit::Node;

/// Of the SDK that AWS's runtime brings along, what the CDK's functions use here.
const SDK: [&str; 3] =
    ["@aws-sdk/client-lambda@3.1162.0", "@aws-sdk/client-sfn@3.1162.0", "@aws-sdk/client-ssm@3.1162.0"];
const BUCKETS: &str = "@aws-sdk/client-s3@3.1162.0";
const KEY: &str = "a-key-for-the-suite-alone";

/// A Node.js of the suite's own, beside which that SDK is installed.
pub(super) fn environment(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let home = root.join("target/suite/node");
    let (programs, packages) = (home.join("bin"), home.join("lib"));
    std::fs::create_dir_all(&programs)?;
    std::fs::create_dir_all(packages.join("node_modules"))?;
    let asked = Command::new("node").args(["-p", "process.execPath"]).output()?;
    let node = String::from_utf8(asked.stdout)?;
    // A copy: a link would be followed to where no SDK is.
    std::fs::copy(node.trim(), programs.join("node"))?;
    install(&packages, &[&SDK[..], &[BUCKETS]].concat())?;
    let path = std::env::var("PATH").unwrap_or_default();
    Ok(vec![("PATH", format!("{}:{path}", programs.display()))])
}

pub(super) fn run(root: &Path, node: &Node) -> Result<()> {
    let app = App::prepared(root, "providers", node, "Providers")?;
    app.cdk("bootstrap", &["bootstrap", "aws://123456789012/us-east-1"])?;
    app.deploy("providers, calls of the SDK, a nested stack", "none", &[])?;
    works(&app, "Create none", "none")?;
    let bucket = app.output("Bucket")?;
    let put = node.client().storage("PUT", &format!("/{bucket}/left-in-it"), b"x")?;
    expect("an object", &put.status.to_string(), "200")?;
    let (success, said) = app.tried(&["deploy", "--require-approval", "never", "-c", "change=broken"])?;
    if success || !said.contains("a word that is refused") {
        return Err(format!("a provider that fails\n{said}").into());
    }
    println!("a provider that fails: rolled back, and its words told");
    works(&app, "Create none", "none").or_else(|_| works(&app, "Update none", "none"))?;
    app.deploy("a change", "one", &[])?;
    works(&app, "Update one", "one")?;
    app.cdk("destroy", &["destroy", "--force"])?;
    let left = left(node)?;
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", ")).into()) }
}

/// What the provider said, what the call of the SDK did, and that the API lets those in who have its key.
fn works(app: &App<'_>, answer: &str, inside: &str) -> Result<()> {
    expect("the provider's answer", &app.output("Answer")?, answer)?;
    let asked = json!({ "Name": "/suite/called" });
    let found = app.node.client().json("ssm", "AmazonSSM.GetParameter", &asked)?.json();
    expect("the parameter", found["Parameter"]["Value"].as_str().unwrap_or_default(), inside)?;
    let asked = json!({ "TableName": app.output("Table")? });
    let found = app.node.client().dynamodb("DescribeTable", &asked)?.json();
    if found["Table"]["TableStatus"] == Value::Null {
        return Err(format!("the nested stack's table: {found}").into());
    }
    let path = app.path("Url")?;
    let get = |headers: &str| -> Result<String> {
        let answer = app.node.client().send("GET", &path, headers, b"")?;
        Ok(format!("{} {}", answer.status, answer.text()))
    };
    expect("without a key", &get("")?, "403 {\"message\":\"Forbidden\"}")?;
    expect("with the key", &get(&format!("x-api-key: {KEY}\r\n"))?, &format!("200 inside: {inside}"))
}
