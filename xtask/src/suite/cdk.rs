//! The application below `xtask/suites/cdk`, through its whole life.

use super::{Result, client, succeed};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::Node;

/// What the first deployment to a fresh server may take beyond the synthesis, on two cores.
const DEPLOYMENT_S_MAX: f64 = 10.0;

struct App<'a> {
    dir: PathBuf,
    /// Where the Go functions are.
    functions: PathBuf,
    node: &'a Node,
}

pub(super) fn run(root: &Path, node: &Node) -> Result<()> {
    let dir = prepare(root)?;
    let functions = root.join("examples/users-by-place/functions");
    let app = App { dir, functions, node };
    app.cdk("bootstrap", &["bootstrap", "aws://123456789012/us-east-1"])?;
    app.deploys()?;
    app.works("zip, first: none")?;
    app.changes_nothing()?;
    app.tells_the_difference()?;
    app.deploy("a change", "one", &[])?;
    app.works("zip, first: one")?;
    app.swaps()?;
    app.rolls_back()?;
    app.is_taken_away()
}

/// A copy with what it needs; `node_modules` stay from one run to the next.
fn prepare(root: &Path) -> Result<PathBuf> {
    let dir = root.join("target/suite/cdk");
    std::fs::create_dir_all(&dir)?;
    let from = root.join("xtask/suites/cdk/.");
    succeed(Command::new("cp").arg("-R").arg(from).arg(&dir))?;
    std::fs::write(dir.join("broken.zip"), "no archive")?;
    let mut install = Command::new("npm");
    succeed(install.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&dir))?;
    Ok(dir)
}

impl App<'_> {
    /// Runs the command line; what it said, when it ended well.
    fn cdk(&self, what: &str, arguments: &[&str]) -> Result<String> {
        let (success, said) = self.tried(arguments)?;
        if !success {
            return Err(format!("{what}: cdk {}\n{said}", arguments.join(" ")).into());
        }
        let times: Vec<&str> = said.lines().filter(|line| line.contains("time: ")).map(str::trim).collect();
        println!("{what}: {}", times.join(", "));
        Ok(said)
    }

    fn tried(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let mut command = Command::new("node_modules/.bin/cdk");
        let functions = format!("functions={}", self.functions.display());
        command.args(arguments).args(["--no-notices", "--no-color", "-c", &functions]).env("CI", "true");
        let output = client(&mut command, self.node).current_dir(&self.dir).output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }

    fn deploy(&self, what: &str, change: &str, more: &[&str]) -> Result<String> {
        let change = format!("change={change}");
        let common = ["deploy", "--require-approval", "never", "-c", &change];
        self.cdk(what, &[&common[..], more].concat())
    }

    fn deploys(&self) -> Result<()> {
        let said = self.deploy("the first deployment", "none", &[])?;
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
    fn works(&self, zip: &str) -> Result<()> {
        let invoked = |app: &Self, name: &str| -> Result<String> {
            let function = app.output(name)?;
            let path = format!("/2015-03-31/functions/{function}/invocations");
            Ok(app.node.client().lambda("POST", &path, &json!({}))?.text())
        };
        expect("the inline function", &invoked(self, "Inline")?, "\"inline\"")?;
        expect("the packaged function", &invoked(self, "Zip")?, &format!("\"{zip}\""))?;
        let url = self.output("Url")?;
        let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).ok_or(url.clone())?.1;
        let path = format!("/{}/items/first", path.trim_end_matches('/'));
        let answer = self.node.client().send("PUT", &path, "", b"")?;
        expect("the API", &format!("{} {}", answer.status, answer.text()), "201 first")?;
        let group = format!("/aws/lambda/{}", self.output("Go")?);
        for _ in 0..100 {
            let asked = json!({ "logGroupName": group, "filterPattern": "ResourceNotFoundException" });
            let found = self.node.client().json("logs", "Logs_20140328.FilterLogEvents", &asked)?.json();
            if found["events"].as_array().is_some_and(|events| !events.is_empty()) {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        Err("the stream did not reach the Go function".into())
    }

    fn changes_nothing(&self) -> Result<()> {
        let before = self.stack()?;
        let said = self.deploy("the same again", "none", &[])?;
        if !said.contains("(no changes)") || self.stack()? != before {
            return Err(format!("an unchanged deployment changed something\n{said}").into());
        }
        self.no_change_sets()
    }

    fn tells_the_difference(&self) -> Result<()> {
        let before = self.stack()?;
        let (differs, said) = self.tried(&["diff", "--fail", "-c", "change=one"])?;
        if differs || !said.contains("[~] AWS::Lambda::Function") || self.stack()? != before {
            return Err(format!("diff\n{said}").into());
        }
        let (same, said) = self.tried(&["diff", "--fail", "-c", "change=none"])?;
        if !same {
            return Err(format!("diff, where there is none\n{said}").into());
        }
        println!("diff: told");
        self.no_change_sets()
    }

    /// Only the function is told of its new package.
    fn swaps(&self) -> Result<()> {
        let file = self.dir.join("functions/zip/index.py");
        let text = std::fs::read_to_string(&file)?;
        std::fs::write(&file, text.replace("zip, first", "zip, second"))?;
        let before = self.stack()?;
        self.deploy("hotswap", "one", &["--hotswap"])?;
        if self.stack()? != before {
            return Err("a hotswap changed the stack".into());
        }
        self.works("zip, second: one")
    }

    fn rolls_back(&self) -> Result<()> {
        let (success, said) =
            self.tried(&["deploy", "--require-approval", "never", "-c", "change=broken"])?;
        if success || !self.stack()?.contains("<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus>") {
            return Err(format!("a broken package\n{said}").into());
        }
        println!("a broken package: rolled back");
        // The stack's own words again, not what was swapped past it.
        self.works("zip, first: one").or_else(|_| self.works("zip, second: one"))
    }

    fn is_taken_away(&self) -> Result<()> {
        self.cdk("destroy", &["destroy", "--force"])?;
        let left = left(self.node)?;
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", ")).into()) }
    }

    fn output(&self, name: &str) -> Result<String> {
        let stack = self.stack()?;
        let key = format!("<OutputKey>{name}Output</OutputKey>");
        let member = stack.split("<member>").find(|member| member.contains(&key));
        let value = member.and_then(|member| member.split_once("<OutputValue>")).map(|(_, rest)| rest);
        let value = value.and_then(|rest| rest.split_once("</OutputValue>")).map(|(value, _)| value);
        value.map(str::to_owned).ok_or_else(|| format!("no output {name}: {stack}").into())
    }

    fn no_change_sets(&self) -> Result<()> {
        let listed = self.form("ListChangeSets", "&StackName=Suite")?;
        if !listed.contains("<Summaries") || listed.contains("<ChangeSetName>") {
            return Err(format!("a change set is left: {listed}").into());
        }
        Ok(())
    }

    /// The stack as it is described, less what differs from call to call.
    fn stack(&self) -> Result<String> {
        let text = self.form("DescribeStacks", "&StackName=Suite")?;
        Ok(text.split("<ResponseMetadata>").next().unwrap_or_default().to_owned())
    }

    fn form(&self, action: &str, more: &str) -> Result<String> {
        let body = format!("Action={action}&Version=2010-05-15{more}");
        Ok(self.node.client().form("cloudformation", &body)?.text())
    }
}

fn expect(what: &str, got: &str, wanted: &str) -> Result<()> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got} instead of {wanted}").into()) }
}

/// Tables, functions, mappings, APIs and stacks that are there, but for what `bootstrap` made.
pub(super) fn left(node: &Node) -> Result<Vec<String>> {
    let mut client = node.client();
    let mut left = Vec::new();
    let mut names = |list: &Value, member: &str| {
        let items = list.as_array().cloned().unwrap_or_default();
        left.extend(
            items
                .iter()
                .map(|item| if member.is_empty() { item.to_string() } else { item[member].to_string() }),
        );
    };
    names(&client.dynamodb("ListTables", &json!({}))?.json()["TableNames"], "");
    names(&client.lambda("GET", "/2015-03-31/functions/", &Value::Null)?.json()["Functions"], "FunctionName");
    let mappings = client.lambda("GET", "/2015-03-31/event-source-mappings/", &Value::Null)?.json();
    names(&mappings["EventSourceMappings"], "UUID");
    names(&client.signed("apigateway", "GET", "/v2/apis", "", b"")?.json()["items"], "name");
    let parameters = client.json("ssm", "AmazonSSM.DescribeParameters", &json!({}))?.json();
    let parameters = parameters["Parameters"].as_array().cloned().unwrap_or_default();
    left.extend(
        parameters.iter().map(|one| one["Name"].to_string()).filter(|name| !name.contains("cdk-bootstrap")),
    );
    Ok(left)
}
