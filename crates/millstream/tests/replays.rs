//! What the CDK's client was seen to call, one call a line, called again in the same order: no CDK is needed to know that its
//! calls are answered as it needs them. The files are `replays/<number>-<command>.txt`.

use crate::support::start;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use testkit::{Answer, Client, TempDir};

const ACCOUNT: &str = "123456789012";
const ASSETS: &str = "cdk-hnb659fds-assets-123456789012-us-east-1";

const BOOTSTRAP: &str = include_str!("replays/bootstrap.json");
const APPLICATION: &str = include_str!("replays/application.json");

#[test]
fn the_calls_of_the_cdk_are_answered_as_it_needs_them() {
    let dir = TempDir::new("replays");
    let node = start(&dir);
    let mut replay = Replay::new(node.client(), &node.url());
    for (name, calls) in [
        ("bootstrap", include_str!("replays/1-bootstrap.txt")),
        ("deploy", include_str!("replays/2-deploy.txt")),
        ("deploy again", include_str!("replays/3-nochange.txt")),
        ("diff", include_str!("replays/4-diff.txt")),
        ("deploy a change", include_str!("replays/5-change.txt")),
        ("hotswap", include_str!("replays/6-hotswap.txt")),
        ("destroy", include_str!("replays/7-destroy.txt")),
    ] {
        let calls = calls.lines().filter(|line| !line.starts_with('#'));
        for (at, line) in calls.enumerate() {
            replay.call(line).unwrap_or_else(|wrong| panic!("{name}, call {}: {line}\n{wrong}", at + 1));
        }
    }
}

struct Replay {
    client: Client,
    /// What stands in braces: constants, and what answers have told.
    known: BTreeMap<String, String>,
}

impl Replay {
    fn new(client: Client, url: &str) -> Replay {
        let known = [("url", url), ("account", ACCOUNT), ("assets", ASSETS)];
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Replay { client, known: known.into() }
    }

    /// Makes one call, and again while a stack is on its way, as the client does.
    fn call(&mut self, line: &str) -> Result<(), String> {
        let columns: Vec<&str> = line.splitn(5, '|').map(str::trim).collect();
        let [status, service, call, parameters, wanted] = columns[..] else {
            return Err("a line has five columns".to_owned());
        };
        let parameters: Value = serde_json::from_str(parameters).map_err(|error| error.to_string())?;
        let parameters = self.filled_in(&parameters);
        let call = self.fill(call);
        for _ in 0..100 {
            let answer = self.send(service, &call, &parameters).map_err(|error| error.to_string())?;
            let under_way = answer.text().contains("_IN_PROGRESS</StackStatus>");
            if call == "DescribeStacks" && under_way && !wanted.contains("REVIEW_IN_PROGRESS") {
                std::thread::sleep(std::time::Duration::from_millis(100));
                continue;
            }
            return self
                .check(status, wanted, &answer)
                .map_err(|wrong| format!("{wrong}\n{}", answer.text()));
        }
        Err("the stack does not come to an end".to_owned())
    }

    fn send(&mut self, service: &str, call: &str, parameters: &Value) -> std::io::Result<Answer> {
        match (service, call.split_once(' ')) {
            ("api", Some((method, path))) => {
                let base = self.known["endpoint"].trim_end_matches('/').to_owned();
                let (_, stage) =
                    base.split_once("://").and_then(|(_, rest)| rest.split_once('/')).expect("a path");
                self.client.send(method, &format!("/{stage}{path}"), "", b"{}")
            }
            ("s3", Some((method, path))) => {
                let body = if method == "PUT" { file(path) } else { Vec::new() };
                let mut headers = String::new();
                if method == "PUT" {
                    let sum = wire::base64::encode(&Sha256::digest(&body));
                    let _ = write!(
                        headers,
                        "x-amz-sdk-checksum-algorithm: SHA256\r\nx-amz-checksum-sha256: {sum}\r\n"
                    );
                }
                for (name, value) in parameters.as_object().expect("headers") {
                    let _ = write!(headers, "{name}: {}\r\n", value.as_str().expect("a text"));
                }
                self.client.signed(service, method, path, &headers, &body)
            }
            (_, Some((method, path))) => {
                let body = if method == "GET" { Value::Null } else { parameters.clone() };
                self.client.lambda(method, path, &body)
            }
            ("ssm", None) => self.client.json(service, &format!("AmazonSSM.{call}"), parameters),
            (_, None) => {
                let version = if service == "sts" { "2011-06-15" } else { "2010-05-15" };
                let mut form = format!("Action={call}&Version={version}");
                for (name, value) in parameters.as_object().expect("parameters") {
                    let value = wire::percent::encode(value.as_str().expect("a text"));
                    let _ = write!(form, "&{name}={value}");
                }
                self.client.form(service, &form)
            }
        }
    }

    fn check(&mut self, status: &str, wanted: &str, answer: &Answer) -> Result<(), String> {
        if answer.status.to_string() != status {
            return Err(format!("the status is {}", answer.status));
        }
        let text = unescaped(&answer.text());
        for want in wanted.split(" ; ").map(str::trim).filter(|want| !want.is_empty()) {
            if let Some((name, tag)) = want.strip_prefix('{').and_then(|want| want.split_once("}=")) {
                let value = element(&text, tag).ok_or_else(|| format!("there is no {tag}"))?;
                self.known.insert(name.to_owned(), value);
            } else if !text.contains(&self.fill(want)) {
                return Err(format!("{} is not in the answer", self.fill(want)));
            }
        }
        Ok(())
    }

    fn filled_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.fill(text).into(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), self.filled_in(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    fn fill(&self, text: &str) -> String {
        for name in ["bootstrap.json", "application.json", "changed.json"] {
            if text == format!("{{{name}}}") {
                return String::from_utf8(file(name)).expect("a template");
            }
        }
        let mut text = text.to_owned();
        for (name, value) in &self.known {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

/// What is uploaded as, or means, a file of that name.
fn file(path: &str) -> Vec<u8> {
    let name = path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let answers = |word: &str| {
        let code =
            format!("def handler(event, context):\n    return {{'statusCode': 201, 'body': '{word}'}}\n");
        functions::zip_of(&[("index.py", &code)])
    };
    match name {
        "bootstrap.json" => BOOTSTRAP.into(),
        "application.json" => APPLICATION.into(),
        "changed.json" => APPLICATION.replace("\"MemorySize\": 128", "\"MemorySize\": 256").into(),
        "create.zip" | "replicate.zip" => answers("first"),
        "hot.zip" => answers("second"),
        other => panic!("no such file: {other}"),
    }
}

/// The text of the first element of that name; `Tag of Name`, of the one that belongs to the resource of that name.
fn element(text: &str, tag: &str) -> Option<String> {
    let (tag, text) = match tag.split_once(" of ") {
        Some((tag, resource)) => {
            let member = text.split("<member>").find(|member| {
                member.contains(&format!("<LogicalResourceId>{resource}</LogicalResourceId>"))
            })?;
            (tag, member)
        }
        None => (tag, text),
    };
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    rest.split_once(&format!("</{tag}>")).map(|(value, _)| value.to_owned())
}

fn unescaped(text: &str) -> String {
    let pairs =
        [("&quot;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&#xD;", "\r"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
