//! An application of the CDK below `xtask/suites`, and the command line that deploys it.

use super::{Result, client, succeed};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::Node;

pub(super) struct App<'a> {
    /// A copy with what it needs; `node_modules` stay from one run to the next.
    pub dir: PathBuf,
    pub node: &'a Node,
    /// The stack's name.
    pub stack: &'static str,
    /// What is said to it every time: `-c name=value`.
    pub context: Vec<String>,
}

impl App<'_> {
    pub fn prepared<'a>(root: &Path, name: &str, node: &'a Node, stack: &'static str) -> Result<App<'a>> {
        let dir = root.join("target/suite").join(name);
        std::fs::create_dir_all(&dir)?;
        let from = root.join("xtask/suites").join(name).join(".");
        succeed(Command::new("cp").arg("-R").arg(from).arg(&dir))?;
        install(&dir, &[])?;
        Ok(App { dir, node, stack, context: Vec::new() })
    }

    /// Runs the command line; what it said, when it ended well.
    pub fn cdk(&self, what: &str, arguments: &[&str]) -> Result<String> {
        let (success, said) = self.tried(arguments)?;
        if !success {
            return Err(format!("{what}: cdk {}\n{said}", arguments.join(" ")).into());
        }
        let times: Vec<&str> = said.lines().filter(|line| line.contains("time: ")).map(str::trim).collect();
        println!("{what}: {}", times.join(", "));
        Ok(said)
    }

    pub fn tried(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let mut command = Command::new("node_modules/.bin/cdk");
        command.args(arguments).args(["--no-notices", "--no-color"]).args(&self.context).env("CI", "true");
        let output = client(&mut command, self.node).current_dir(&self.dir).output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }

    pub fn deploy(&self, what: &str, change: &str, more: &[&str]) -> Result<String> {
        let change = format!("change={change}");
        let common = ["deploy", "--require-approval", "never", "-c", &change];
        self.cdk(what, &[&common[..], more].concat())
    }

    pub fn output(&self, name: &str) -> Result<String> {
        let stack = self.described()?;
        let key = format!("<OutputKey>{name}Output</OutputKey>");
        let member = stack.split("<member>").find(|member| member.contains(&key));
        let value = member.and_then(|member| member.split_once("<OutputValue>")).map(|(_, rest)| rest);
        let value = value.and_then(|rest| rest.split_once("</OutputValue>")).map(|(value, _)| value);
        value.map(str::to_owned).ok_or_else(|| format!("no output {name}: {stack}").into())
    }

    pub fn no_change_sets(&self) -> Result<()> {
        let listed = self.form("ListChangeSets", &format!("&StackName={}", self.stack))?;
        if !listed.contains("<Summaries") || listed.contains("<ChangeSetName>") {
            return Err(format!("a change set is left: {listed}").into());
        }
        Ok(())
    }

    /// The stack as it is described, less what differs from call to call.
    pub fn described(&self) -> Result<String> {
        let text = self.form("DescribeStacks", &format!("&StackName={}", self.stack))?;
        Ok(text.split("<ResponseMetadata>").next().unwrap_or_default().to_owned())
    }

    pub fn form(&self, action: &str, more: &str) -> Result<String> {
        let body = format!("Action={action}&Version=2010-05-15{more}");
        Ok(self.node.client().form("cloudformation", &body)?.text())
    }

    /// Invokes a function with nothing.
    pub fn invoked(&self, output: &str) -> Result<String> {
        let path = format!("/2015-03-31/functions/{}/invocations", self.output(output)?);
        Ok(self.node.client().lambda("POST", &path, &json!({}))?.text())
    }

    /// An address of an API, as a path on the server.
    pub fn path(&self, output: &str) -> Result<String> {
        let url = self.output(output)?;
        let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).ok_or(url.clone())?.1;
        Ok(format!("/{}", path.trim_end_matches('/')))
    }
}

/// Packages from npm: those that the directory names, or these.
pub(super) fn install(dir: &Path, packages: &[&str]) -> Result<()> {
    let mut install = Command::new("npm");
    let quiet = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
    succeed(install.args(quiet).args(packages).current_dir(dir))
}

pub(super) fn expect(what: &str, got: &str, wanted: &str) -> Result<()> {
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
