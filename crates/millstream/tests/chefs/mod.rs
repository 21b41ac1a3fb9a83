//! The chefs' whole application as one stack: two APIs, MySQL behind the Data API, a table, and its stream that leads back.

mod template;

use crate::support::{eventually, start};
use serde_json::{Value, json};
use testkit::{Client, Node, TempDir};
use wire::percent;

/// What an action of a query service answers.
fn form(client: &mut Client, service: &str, version: &str, members: &[(&str, &str)]) -> (u16, String) {
    let encoded: String = members
        .iter()
        .map(|(name, value)| format!("&{}={}", percent::encode(name), percent::encode(value)))
        .collect();
    let answer = client.form(service, &format!("Version={version}{encoded}")).expect("an answer");
    (answer.status, answer.text())
}

fn stack(client: &mut Client, action: &str, members: &[(&str, &str)]) -> String {
    let members = [&[("Action", action), ("StackName", "chefs")], members].concat();
    let (status, text) = form(client, "cloudformation", "2010-05-15", &members);
    assert_eq!(status, 200, "{action}: {text}");
    text
}

/// What stands between the first pair of these tags.
fn between<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    text.split_once(&format!("<{tag}>"))?.1.split_once(&format!("</{tag}>")).map(|(inner, _)| inner)
}

fn output(told: &str, key: &str) -> String {
    let (_, rest) = told.split_once(&format!("<OutputKey>{key}</OutputKey>")).expect("an output");
    between(rest, "OutputValue").expect("a value").to_owned()
}

/// Makes a change set of the template, and carries it out.
fn deploy(client: &mut Client, kind: &str, greeting: &str) -> String {
    let template = template::template(greeting);
    let members = [
        ("ChangeSetName", "change"),
        ("ChangeSetType", kind),
        ("TemplateBody", template.as_str()),
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ];
    stack(client, "CreateChangeSet", &members);
    let told = stack(client, "DescribeChangeSet", &members[..1]);
    assert_eq!(between(&told, "Status"), Some("CREATE_COMPLETE"), "{told}");
    stack(client, "ExecuteChangeSet", &members[..1]);
    settled(client, &format!("{kind}_COMPLETE"))
}

/// The stack, once nothing of it is in progress.
fn settled(client: &mut Client, wanted: &str) -> String {
    let mut told = String::new();
    eventually("the stack is settled", || {
        told = stack(client, "DescribeStacks", &[]);
        !between(&told, "StackStatus").expect("a status").ends_with("IN_PROGRESS")
    });
    let events = stack(client, "DescribeStackEvents", &[]);
    assert_eq!(between(&told, "StackStatus"), Some(wanted), "{events}");
    told
}

struct Api<'a> {
    node: &'a Node,
    url: String,
}

impl Api<'_> {
    fn answer(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let prefix = format!("http://{}", self.node.address());
        let path = format!("{}{path}", self.url.strip_prefix(&prefix).expect("an address of this server"));
        let headers = "Content-Type: application/json\r\n";
        let answer = self.node.client().send(method, &path, headers, body.as_bytes()).expect("an answer");
        (answer.status, answer.text())
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, text) = self.answer(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

fn chef(id: u64, first: &str, last: &str) -> Value {
    json!([{ "longValue": id }, { "stringValue": first }, { "stringValue": last }])
}

#[test]
fn what_is_written_the_new_way_is_read_the_old_way() {
    let dir = TempDir::new("chefs");
    let node = start(&dir);
    let mut client = node.client();
    let told = deploy(&mut client, "CREATE", "hello");
    let api = Api { node: &node, url: output(&told, "Url") };

    api.call("GET", "aurora", "");
    assert_eq!(api.call("GET", "aurora/chefs", ""), json!([]));
    let written = api.call("POST", "aurora/chefs", r#"{"firstName":"Alton","lastName":"Brown"}"#);
    assert_eq!(written["updateResults"][0]["generatedFields"][0]["longValue"], 1);
    assert_eq!(api.call("GET", "dynamo/chefs", ""), json!([]));
    assert_eq!(api.call("POST", "dynamo/chefs", r#"{"firstName":"Bobby","lastName":"Flay"}"#), "hello");
    assert_eq!(api.call("GET", "dynamo/chefs", "")[0]["ChefId"]["S"], "Flay#Bobby");
    let both = json!([chef(1, "Alton", "Brown"), chef(2, "Bobby", "Flay")]);
    eventually("the stream has led to MySQL", || api.call("GET", "aurora/chefs", "") == both);

    let functions = client.lambda("GET", "/2015-03-31/functions", &json!({})).expect("an answer").json();
    let vpc = &functions["Functions"][0]["VpcConfig"];
    assert_eq!(vpc["SecurityGroupIds"][0], *output(&told, "Group"), "{vpc}");
    let group = [("Action", "DescribeSecurityGroups"), ("GroupId.1", &output(&told, "Group"))];
    let (_, group) = form(&mut client, "ec2", "2016-11-15", &group);
    assert_eq!(between(&group, "fromPort"), Some("3306"), "{group}");

    deploy(&mut client, "UPDATE", "bonjour");
    assert_eq!(api.call("POST", "dynamo/chefs", r#"{"firstName":"Bobby","lastName":"Flay"}"#), "bonjour");
    assert_eq!(api.call("GET", "aurora/chefs", ""), both, "the same chef again is no insert");

    // What goes wrong behind an API is told in AWS's words, and in no others.
    let crashed = (502, r#"{"message": "Internal server error"}"#.to_owned());
    assert_eq!(api.answer("POST", "dynamo/chefs", "no JSON"), crashed);
    let functions = client.lambda("GET", "/2015-03-31/functions", &json!({})).expect("an answer").json();
    let names = functions["Functions"].as_array().expect("a list").iter().map(|one| &one["FunctionName"]);
    let scan = names.filter_map(Value::as_str).find(|name| name.contains("-scan-")).expect("a function");
    let path = format!("/2017-10-31/functions/{scan}/concurrency");
    client.lambda("PUT", &path, &json!({ "ReservedConcurrentExecutions": 0 })).expect("an answer");
    let throttled = (429, r#"{"message":"Too Many Requests"}"#.to_owned());
    assert_eq!(api.answer("GET", "dynamo/chefs", ""), throttled);

    stack(&mut client, "DeleteStack", &[]);
    eventually("the stack is gone", || {
        let asked = [("Action", "DescribeStacks"), ("StackName", "chefs")];
        form(&mut client, "cloudformation", "2010-05-15", &asked).0 == 400
    });
    for (service, version, action, empty) in [
        ("rds", "2014-10-31", "DescribeDBClusters", "<DBClusters></DBClusters>"),
        ("rds", "2014-10-31", "DescribeDBSubnetGroups", "<DBSubnetGroups></DBSubnetGroups>"),
        ("ec2", "2016-11-15", "DescribeAddresses", "<addressesSet></addressesSet>"),
        ("ec2", "2016-11-15", "DescribeNatGateways", "<natGatewaySet></natGatewaySet>"),
    ] {
        let (_, told) = form(&mut client, service, version, &[("Action", action)]);
        assert!(told.contains(empty), "{told}");
    }
    let (_, told) = form(&mut client, "ec2", "2016-11-15", &[("Action", "DescribeVpcs")]);
    assert_eq!(told.matches("<isDefault>true").count(), 1);
    assert_eq!(told.matches("<isDefault>").count(), 1, "{told}");
    let functions = client.lambda("GET", "/2015-03-31/functions", &json!({})).expect("an answer").json();
    assert_eq!(functions["Functions"], json!([]));
    let left = std::fs::read_dir(dir.path().join("databases")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the database's data is gone");
}
