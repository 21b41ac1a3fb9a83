//! What policies decide, from signed requests to their answers.

mod tagged;

use super::bench::Bench;
use crate::Settings;
use serde_json::{Value, json};
use servicekit::Mode;
use std::net::IpAddr;
use wire::percent;
use wire::sigv4::{Credentials, Signer};
use world::World;

const ROOT: (&str, &str) = ("AKIAROOTROOTROOTROOT", "a-secret-of-the-account-itself");

/// A server where policies decide, and the user ann with a key.
struct House {
    bench: Bench,
    ann: (String, String),
}

impl House {
    fn new() -> House {
        let root_key = Some((ROOT.0.to_owned(), ROOT.1.to_owned()));
        let bench = Bench::set(Settings { auth: Mode::Enforce, root_key, ..Settings::default() });
        let mut house = House { bench, ann: Default::default() };
        house.iam("CreateUser", &[("UserName", "ann")]);
        let key = house.iam("CreateAccessKey", &[("UserName", "ann")]);
        let between = |name: &str| {
            let (_, rest) = key.split_once(&format!("<{name}>")).expect("the member");
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        house.ann = (between("AccessKeyId"), between("SecretAccessKey"));
        for (name, team) in [("Red", "red"), ("Blue", "blue")] {
            let table = json!({
                "TableName": name,
                "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
                "Tags": [{ "Key": "team", "Value": team }],
            });
            assert_eq!(house.table(ROOT, "CreateTable", table, "127.0.0.1"), 200);
        }
        house
    }

    fn signed(&self, key: (&str, &str), service: &str, request: wire::Request) -> wire::Request {
        let credentials =
            Credentials { access_key: key.0.to_owned(), secret: key.1.to_owned(), session_token: None };
        let signer = Signer { credentials, region: "us-east-1".to_owned(), service: service.to_owned() };
        signer.sign(request.with_header("host", "localhost"), World::real().now())
    }

    /// The account's own call to IAM, which must go well.
    fn iam(&self, action: &str, members: &[(&str, &str)]) -> String {
        let mut form = format!("Action={action}&Version=2010-05-08");
        for (name, value) in members {
            form.push_str(&format!("&{name}={}", percent::encode(value)));
        }
        let request =
            wire::Request::post(form).with_header("content-type", "application/x-www-form-urlencoded");
        let reply = self.bench.send(self.signed(ROOT, "iam", request));
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, 200, "{action}: {text}");
        text
    }

    /// Status of a call to DynamoDB from an address.
    fn table(&self, key: (&str, &str), operation: &str, input: Value, from: &str) -> u16 {
        let request = wire::Request::post(input.to_string())
            .with_header("content-type", "application/x-amz-json-1.0")
            .with_header("x-amz-target", &format!("DynamoDB_20120810.{operation}"));
        let mut request = self.signed(key, "dynamodb", request);
        request.peer = from.parse::<IpAddr>().ok();
        self.bench.send(request).status
    }

    fn get(&self, table: &str, from: &str) -> u16 {
        let input = json!({ "TableName": table, "Key": { "pk": { "S": "1" } } });
        self.table((&self.ann.0, &self.ann.1), "GetItem", input, from)
    }

    /// Gives ann this policy and no other.
    fn grant(&self, statement: Value) {
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        self.iam(
            "PutUserPolicy",
            &[("UserName", "ann"), ("PolicyName", "only"), ("PolicyDocument", &document)],
        );
    }
}

#[test]
fn groups_decide_for_who_is_in_them() {
    let house = House::new();
    let here = "127.0.0.1";
    let document = json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*" },
    });
    house.iam("CreateGroup", &[("GroupName", "readers")]);
    let policy = document.to_string();
    let inline = [("GroupName", "readers"), ("PolicyName", "read"), ("PolicyDocument", policy.as_str())];
    house.iam("PutGroupPolicy", &inline);
    assert_eq!(house.get("Red", here), 400);
    let membership = [("GroupName", "readers"), ("UserName", "ann")];
    house.iam("AddUserToGroup", &membership);
    assert_eq!(house.get("Red", here), 200);
    house.iam("DeleteGroupPolicy", &[("GroupName", "readers"), ("PolicyName", "read")]);
    assert_eq!(house.get("Red", here), 400);
    let managed = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess";
    house.iam("AttachGroupPolicy", &[("GroupName", "readers"), ("PolicyArn", managed)]);
    assert_eq!(house.get("Red", here), 200);
    house.iam("RemoveUserFromGroup", &membership);
    assert_eq!(house.get("Red", here), 400);
}

#[test]
fn it_counts_where_a_request_comes_from() {
    let house = House::new();
    house.grant(json!({
        "Effect": "Allow",
        "Action": "dynamodb:*",
        "Resource": "*",
        "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } },
    }));
    assert_eq!(house.get("Red", "10.1.2.3"), 200);
    assert_eq!(house.get("Red", "192.168.0.1"), 400);
}

#[test]
fn tags_of_tables_and_of_requests_are_conditions() {
    let house = House::new();
    let here = "127.0.0.1";
    house.grant(json!({
        "Effect": "Allow",
        "Action": "dynamodb:GetItem",
        "Resource": "*",
        "Condition": { "StringEquals": { "aws:ResourceTag/team": "red" } },
    }));
    assert_eq!(house.get("Red", here), 200);
    assert_eq!(house.get("Blue", here), 400);
    house.grant(json!({
        "Effect": "Allow",
        "Action": "dynamodb:TagResource",
        "Resource": "*",
        "Condition": {
            "StringEquals": { "aws:RequestTag/team": "red" },
            "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
        },
    }));
    let tag = |tags: Value| {
        let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Blue";
        let input = json!({ "ResourceArn": arn, "Tags": tags });
        house.table((&house.ann.0, &house.ann.1), "TagResource", input, here)
    };
    assert_eq!(tag(json!([{ "Key": "team", "Value": "blue" }])), 400);
    assert_eq!(tag(json!([{ "Key": "team", "Value": "red" }, { "Key": "more", "Value": "" }])), 400);
    assert_eq!(tag(json!([{ "Key": "team", "Value": "red" }])), 200);
}
