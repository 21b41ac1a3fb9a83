//! `cargo xtask suite consumers`: functions built with the SDKs of four languages, triggered by real writes, and a walk
//! over the shards with boto3. Needs pip, npm and Go, what they fetch, and Ruby with the core of its SDK (Debian's
//! `ruby-aws-sdk-core`).

use super::{Result, client, succeed};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testkit::{Node, TempDir};

const ITEMS: usize = 200;
/// How long a function may take for all of them.
const LOOKS_MAX: usize = 1_200;
const PAUSE: Duration = Duration::from_millis(100);

/// A function: its language, runtime and handler.
const FUNCTIONS: [(&str, &str, &str); 4] = [
    ("python", "python3.12", "app.handler"),
    ("node", "nodejs22.x", "index.handler"),
    ("go", "provided.al2023", "bootstrap"),
    ("ruby", "ruby3.3", "app.handler"),
];

pub(super) fn run(root: &Path, binary: &str) -> Result<()> {
    let source = root.join("xtask/suites/consumers");
    let build = root.join("target/suite-consumers");
    std::fs::create_dir_all(&build)?;
    for (language, _, _) in FUNCTIONS {
        println!("{language}: building");
        package(language, &source.join(language), &build.join(language))?;
    }
    let data = TempDir::new("suite-consumers");
    // Shards roll over while they are read.
    let node = Node::start(binary, data.path(), &["--shard-rollover-s", "5"]);
    let stream = table(&node, "Changes", true)?;
    table(&node, "Seen", false)?;
    for function in FUNCTIONS {
        attach(&node, &build, function, &stream)?;
    }
    write(&node)?;
    for (language, _, _) in FUNCTIONS {
        noted(&node, language)?;
        println!("{language}: {ITEMS} records, all noted");
    }
    let walked = walk(&node, &build, &source, &stream)?;
    println!("boto3: {walked} records walked");
    node.stop();
    Ok(())
}

/// Lays out what goes into a function's package.
fn package(language: &str, source: &Path, build: &Path) -> Result<()> {
    std::fs::create_dir_all(build)?;
    succeed(Command::new("cp").arg("-r").arg(source.join(".")).arg(build))?;
    let mut command = match language {
        "python" => {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--upgrade", "--root-user-action", "ignore"]);
            pip.args(["--target", ".", "boto3", "aws-lambda-powertools"]);
            pip
        }
        "node" => {
            let mut npm = Command::new("npm");
            npm.args(["install", "--silent", "--no-audit", "--no-fund"]);
            npm
        }
        "ruby" => {
            // It comes with the language, not with the package.
            let mut ruby = Command::new("ruby");
            ruby.args(["-e", "require 'aws-sdk-core'"]);
            ruby
        }
        _ => {
            let mut go = Command::new("go");
            go.args(["build", "-o", "bootstrap", "."]).env("CGO_ENABLED", "0");
            go
        }
    };
    succeed(command.current_dir(build))?;
    if language == "python" { thin(&build.join("botocore/data")) } else { Ok(()) }
}

/// Leaves out the services that nobody here calls: they would be most of the package.
fn thin(data: &Path) -> Result<()> {
    for service in std::fs::read_dir(data)? {
        let service = service?;
        let is_ours = service.file_name().to_string_lossy().starts_with("dynamodb");
        if service.file_type()?.is_dir() && !is_ours {
            std::fs::remove_dir_all(service.path())?;
        }
    }
    Ok(())
}

fn table(node: &Node, name: &str, has_stream: bool) -> Result<String> {
    let mut input = json!({
        "TableName": name,
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    if has_stream {
        input["StreamSpecification"] =
            json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
    }
    let made = node.client().dynamodb("CreateTable", &input)?;
    match made.status {
        200 => Ok(made.json()["TableDescription"]["LatestStreamArn"].as_str().unwrap_or_default().to_owned()),
        _ => Err(made.text().into()),
    }
}

/// Makes a function of a package, and maps the stream to it.
fn attach(node: &Node, build: &Path, function: (&str, &str, &str), stream: &str) -> Result<()> {
    let (language, runtime, handler) = function;
    let function = json!({
        "FunctionName": language, "Runtime": runtime, "Handler": handler, "Timeout": 60, "MemorySize": 512,
        "Role": "arn:aws:iam::123456789012:role/r", "Code": { "ZipFile": zip(&build.join(language))? },
        "Environment": { "Variables": { "SEEN": "Seen" } },
    });
    let mut client = node.client();
    let made = client.lambda("POST", "/2015-03-31/functions", &function)?;
    if made.status != 201 {
        return Err(format!("{language}: {}", made.text()).into());
    }
    let mapping = json!({
        "FunctionName": language, "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 20, "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    let mapped = client.lambda("POST", "/2015-03-31/event-source-mappings", &mapping)?;
    if mapped.status == 202 { Ok(()) } else { Err(format!("{language}: {}", mapped.text()).into()) }
}

/// A directory as a package, in base64.
fn zip(dir: &Path) -> Result<String> {
    const PACK: &str = "import base64, shutil, sys, tempfile
name = shutil.make_archive(tempfile.mkdtemp() + '/package', 'zip', sys.argv[1])
print(base64.b64encode(open(name, 'rb').read()).decode())";
    let packed = Command::new("python3").args(["-c", PACK]).arg(dir).output()?;
    if !packed.status.success() {
        return Err(String::from_utf8_lossy(&packed.stderr).into_owned().into());
    }
    Ok(String::from_utf8(packed.stdout)?.trim().to_owned())
}

fn write(node: &Node) -> Result<()> {
    let mut client = node.client();
    for number in 0..ITEMS {
        let item = json!({ "TableName": "Changes", "Item": { "id": { "S": number.to_string() } } });
        let put = client.dynamodb("PutItem", &item)?;
        if put.status != 200 {
            return Err(put.text().into());
        }
    }
    Ok(())
}

/// Waits until a function has noted every record.
fn noted(node: &Node, language: &str) -> Result<()> {
    let mut client = node.client();
    let counted = json!({
        "TableName": "Seen", "Select": "COUNT", "FilterExpression": "begins_with(id, :language)",
        "ExpressionAttributeValues": { ":language": { "S": format!("{language}/") } },
    });
    let mut count = 0;
    for _ in 0..LOOKS_MAX {
        count = client.dynamodb("Scan", &counted)?.json()["Count"].as_u64().unwrap_or(0);
        if count == ITEMS as u64 {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    let told = Command::new("curl").args(["-s", &format!("{}/_millstream/triggers", node.url())]).output()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    Err(format!("{language} noted {count} of {ITEMS} records: {told}").into())
}

/// Reads all shards with boto3; how many records there were, each item's once.
fn walk(node: &Node, build: &Path, source: &Path, stream: &str) -> Result<usize> {
    let mut walker = Command::new("python3");
    walker.arg(source.join("walker.py")).args([stream, &ITEMS.to_string()]);
    let libraries: PathBuf = build.join("python");
    let walked = client(&mut walker, node).env("PYTHONPATH", libraries).output()?;
    if !walked.status.success() {
        return Err(String::from_utf8_lossy(&walked.stderr).into_owned().into());
    }
    let text = String::from_utf8(walked.stdout)?;
    let found: BTreeSet<&str> = text.lines().collect();
    match (text.lines().count(), found.len()) {
        (ITEMS, ITEMS) => Ok(ITEMS),
        (all, different) => Err(format!("{all} records were walked, {different} of them different").into()),
    }
}
