//! Keys, buckets, networks, parameter groups and stacks, of a red team and of a blue one.

use super::{House, ROOT};
use serde_json::{Value, json};
use wire::Request;

impl House {
    fn ann(&self) -> (&str, &str) {
        (&self.ann.0, &self.ann.1)
    }

    fn kms(&self, key: (&str, &str), operation: &str, input: &Value) -> (u16, Value) {
        let request = Request::post(input.to_string())
            .with_header("content-type", "application/x-amz-json-1.1")
            .with_header("x-amz-target", &format!("TrentService.{operation}"));
        let reply = self.bench.send(self.signed(key, "kms", request));
        (reply.status, reply.json())
    }

    fn form(&self, key: (&str, &str), service: &str, form: &str) -> (u16, String) {
        let request =
            Request::post(form.to_owned()).with_header("content-type", "application/x-www-form-urlencoded");
        let reply = self.bench.send(self.signed(key, service, request));
        (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    }

    fn bucket(&self, key: (&str, &str), method: &str, target: &str, body: &str) -> u16 {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            query: query.to_owned(),
            body: body.to_owned().into(),
            ..Request::default()
        };
        let request = request.with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        self.bench.send(self.signed(key, "s3", request)).status
    }

    /// Lets ann do everything to what is the red team's.
    fn grant_red(&self, condition: &str) {
        self.grant(json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { "StringEquals": { condition: "red" } },
        }));
    }
}

#[test]
fn keys() {
    let house = House::new();
    let [red, blue] = ["red", "blue"].map(|team| {
        let input = json!({ "Tags": [{ "TagKey": "team", "TagValue": team }] });
        house.kms(ROOT, "CreateKey", &input).1["KeyMetadata"]["KeyId"].clone()
    });
    for (alias, key) in [("alias/red", &red), ("alias/blue", &blue)] {
        house.kms(ROOT, "CreateAlias", &json!({ "AliasName": alias, "TargetKeyId": key }));
    }
    let sealed = |key: &Value| {
        let input = json!({ "KeyId": key, "Plaintext": "cGxhaW4=" });
        json!({ "CiphertextBlob": house.kms(ROOT, "Encrypt", &input).1["CiphertextBlob"] })
    };
    house.grant_red("aws:ResourceTag/team");
    let status = |operation: &str, input: Value| house.kms(house.ann(), operation, &input).0;
    for (key, alias, expected) in [(&red, "alias/red", 200), (&blue, "alias/blue", 400)] {
        assert_eq!(status("DescribeKey", json!({ "KeyId": key })), expected);
        assert_eq!(status("DescribeKey", json!({ "KeyId": alias })), expected);
        // What is sealed does not name its key to the caller.
        assert_eq!(status("Decrypt", sealed(key)), expected);
    }
    house.grant(json!({
        "Effect": "Allow", "Action": "kms:TagResource",
        "Resource": format!("arn:aws:kms:us-east-1:123456789012:key/{}", blue.as_str().unwrap_or_default()),
        "Condition": {
            "StringEquals": { "aws:RequestTag/team": "red" },
            "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
        },
    }));
    let tag = |key: &Value, team: &str| {
        let input = json!({ "KeyId": key, "Tags": [{ "TagKey": "team", "TagValue": team }] });
        status("TagResource", input)
    };
    assert_eq!([tag(&blue, "blue"), tag(&red, "red"), tag(&blue, "red")], [400, 400, 200]);
}

#[test]
fn buckets_and_objects() {
    let house = House::new();
    let tags = |team: &str| {
        format!("<Tagging><TagSet><Tag><Key>team</Key><Value>{team}</Value></Tag></TagSet></Tagging>")
    };
    for team in ["red", "blue"] {
        assert_eq!(house.bucket(ROOT, "PUT", &format!("/{team}-one"), ""), 200);
        assert_eq!(house.bucket(ROOT, "PUT", &format!("/{team}-one?tagging"), &tags(team)), 204);
        assert_eq!(house.bucket(ROOT, "PUT", &format!("/red-one/{team}"), "x"), 200);
        assert_eq!(house.bucket(ROOT, "PUT", &format!("/red-one/{team}?tagging"), &tags(team)), 200);
    }
    house.grant_red("aws:ResourceTag/team");
    let status = |method: &str, target: &str, body: &str| house.bucket(house.ann(), method, target, body);
    assert_eq!([status("GET", "/red-one", ""), status("GET", "/blue-one", "")], [200, 403]);
    house.grant_red("s3:ExistingObjectTag/team");
    assert_eq!([status("GET", "/red-one/red", ""), status("GET", "/red-one/blue", "")], [200, 403]);
    house.grant_red("aws:RequestTag/team");
    let tagging = |team: &str| status("PUT", "/blue-one?tagging", &tags(team));
    assert_eq!([tagging("blue"), tagging("red")], [403, 204]);
    house.grant_red("s3:RequestObjectTag/team");
    let tagging = |team: &str| status("PUT", "/red-one/blue?tagging", &tags(team));
    assert_eq!([tagging("blue"), tagging("red")], [403, 200]);
}

#[test]
fn networks_databases_and_stacks() {
    let house = House::new();
    let mut networks = Vec::new();
    let template = r#"{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}"#;
    for team in ["red", "blue"] {
        let (status, made) = house.form(
            ROOT,
            "ec2",
            &format!(
                "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0/16&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value={team}"
            ),
        );
        assert_eq!(status, 200, "{made}");
        let id = made.split_once("<vpcId>").map_or("", |(_, rest)| rest);
        networks.push(id.split('<').next().unwrap_or_default().to_owned());
        let group = format!(
            "Action=CreateDBParameterGroup&Version=2014-10-31&DBParameterGroupName={team}&DBParameterGroupFamily=mysql8.0&Description=d&Tags.Tag.1.Key=team&Tags.Tag.1.Value={team}"
        );
        let (status, made) = house.form(ROOT, "rds", &group);
        assert_eq!(status, 200, "{made}");
        let stack = format!(
            "Action=CreateStack&Version=2010-05-15&StackName={team}&TemplateBody={}&Tags.member.1.Key=team&Tags.member.1.Value={team}",
            wire::percent::encode(template)
        );
        let (status, made) = house.form(ROOT, "cloudformation", &stack);
        assert_eq!(status, 200, "{made}");
    }
    house.grant_red("aws:ResourceTag/team");
    let status = |service: &str, form: &str| house.form(house.ann(), service, form).0;
    for (team, network, expected) in [("red", &networks[0], 200), ("blue", &networks[1], 403)] {
        let group = format!("Action=DeleteDBParameterGroup&Version=2014-10-31&DBParameterGroupName={team}");
        assert_eq!(status("rds", &group), expected, "{team}");
        let stack = format!("Action=DescribeStacks&Version=2010-05-15&StackName={team}");
        assert_eq!(status("cloudformation", &stack), expected, "{team}");
        let network = format!("Action=DeleteVpc&Version=2016-11-15&VpcId={network}");
        assert_eq!(status("ec2", &network), expected, "{team}");
    }
    house.grant_red("aws:RequestTag/team");
    let tag = |team: &str| {
        let network = &networks[1];
        status(
            "ec2",
            &format!(
                "Action=CreateTags&Version=2016-11-15&ResourceId.1={network}&Tag.1.Key=team&Tag.1.Value={team}"
            ),
        )
    };
    assert_eq!([tag("blue"), tag("red")], [403, 200]);
}
