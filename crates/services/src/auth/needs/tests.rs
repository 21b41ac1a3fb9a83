//! Calls and what they need, as a table.

use super::*;
use serde_json::json;

fn needs(service: &str, operation: &str, input: &Value) -> (Vec<String>, Context) {
    let caller = Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None };
    let hash_key = |table: &str, index: Option<&str>| match (table, index) {
        ("t", None) => Some("id".to_owned()),
        ("t", Some("i")) => Some("other".to_owned()),
        _ => None,
    };
    let mut context = Context::default();
    let asked = Asked { service, operation, input, caller: &caller, hash_key: &hash_key };
    let told = of(&asked, &mut context).into_iter().map(|need| {
        let resource = need.resource.replace("us-east-1:123456789012", "-");
        format!("{} {resource}", need.action)
    });
    (told.collect(), context)
}

#[test]
fn every_call_needs_its_actions_on_its_resources() {
    let t = "arn:aws:dynamodb:-:table/t";
    for (service, operation, input, expected) in [
        ("dynamodb", "PutItem", json!({ "TableName": "t" }), vec![format!("dynamodb:PutItem {t}")]),
        (
            "dynamodb",
            "Query",
            json!({ "TableName": "t", "IndexName": "i" }),
            vec![format!("dynamodb:Query {t}/index/i")],
        ),
        (
            "dynamodb",
            "ImportTable",
            json!({ "TableCreationParameters": { "TableName": "t" } }),
            vec![format!("dynamodb:ImportTable {t}")],
        ),
        ("dynamodb", "ListTables", json!({}), vec!["dynamodb:ListTables *".to_owned()]),
        (
            "dynamodb",
            "BatchGetItem",
            json!({ "RequestItems": { "t": { "Keys": [] }, "u": { "Keys": [] } } }),
            vec![
                format!("dynamodb:BatchGetItem {t}"),
                "dynamodb:BatchGetItem arn:aws:dynamodb:-:table/u".to_owned(),
            ],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            json!({ "TransactItems": [{ "Put": { "TableName": "t" } }, { "Put": { "TableName": "t" } }, { "ConditionCheck": { "TableName": "t" } }] }),
            vec![format!("dynamodb:PutItem {t}"), format!("dynamodb:ConditionCheckItem {t}")],
        ),
        (
            "dynamodb",
            "ExecuteStatement",
            json!({ "Statement": "SELECT * FROM \"t\".\"i\" WHERE id = 'a'" }),
            vec![format!("dynamodb:PartiQLSelect {t}/index/i")],
        ),
        (
            "dynamodb",
            "BatchExecuteStatement",
            json!({ "Statements": [{ "Statement": "INSERT INTO t VALUE {'id': 'a'}" }, { "Statement": "DELETE FROM t WHERE id = 'a'" }] }),
            vec![format!("dynamodb:PartiQLInsert {t}"), format!("dynamodb:PartiQLDelete {t}")],
        ),
        (
            "dynamodbstreams",
            "GetRecords",
            json!({ "ShardIterator": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/x|1|abc" }),
            vec![format!("dynamodb:GetRecords {t}/stream/x")],
        ),
        (
            "lambda",
            "Invoke",
            json!({ "FunctionName": "f", "Qualifier": "live" }),
            vec!["lambda:InvokeFunction arn:aws:lambda:-:function:f:live".to_owned()],
        ),
        (
            "lambda",
            "CreateFunction",
            json!({ "FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r" }),
            vec![
                "lambda:CreateFunction arn:aws:lambda:-:function:f".to_owned(),
                "iam:PassRole arn:aws:iam::123456789012:role/r".to_owned(),
            ],
        ),
        (
            "lambda",
            "CreateEventSourceMapping",
            json!({ "FunctionName": "f" }),
            vec!["lambda:CreateEventSourceMapping *".to_owned()],
        ),
        (
            "sqs",
            "SendMessageBatch",
            json!({ "QueueUrl": "http://localhost:4566/123456789012/q" }),
            vec!["sqs:SendMessage arn:aws:sqs:-:q".to_owned()],
        ),
        (
            "sns",
            "Publish",
            json!({ "TopicArn": "arn:aws:sns:us-east-1:123456789012:t" }),
            vec!["sns:Publish arn:aws:sns:-:t".to_owned()],
        ),
        (
            "logs",
            "PutLogEvents",
            json!({ "logGroupName": "/a", "logStreamName": "s" }),
            vec!["logs:PutLogEvents arn:aws:logs:-:log-group:/a:log-stream:s".to_owned()],
        ),
        (
            "iam",
            "AttachRolePolicy",
            json!({ "RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/p" }),
            vec!["iam:AttachRolePolicy arn:aws:iam::123456789012:role/r".to_owned()],
        ),
        ("sts", "GetCallerIdentity", json!({}), vec![]),
        (
            "sts",
            "AssumeRole",
            json!({ "RoleArn": "arn:aws:iam::123456789012:role/r" }),
            vec!["sts:AssumeRole arn:aws:iam::123456789012:role/r".to_owned()],
        ),
        (
            "s3",
            "HeadObject",
            json!({ "Bucket": "b", "Key": "k/l" }),
            vec!["s3:GetObject arn:aws:s3:::b/k/l".to_owned()],
        ),
        (
            "s3",
            "DeleteObjects",
            json!({ "Bucket": "b", "Delete": { "Objects": [{ "Key": "k" }, { "Key": "l", "VersionId": "1" }] } }),
            vec![
                "s3:DeleteObject arn:aws:s3:::b/k".to_owned(),
                "s3:DeleteObjectVersion arn:aws:s3:::b/l".to_owned(),
            ],
        ),
        ("s3", "GetBucketCors", json!({ "Bucket": "b" }), vec!["s3:GetBucketCORS arn:aws:s3:::b".to_owned()]),
        (
            "s3",
            "DeleteBucketCors",
            json!({ "Bucket": "b" }),
            vec!["s3:PutBucketCORS arn:aws:s3:::b".to_owned()],
        ),
        (
            "s3",
            "DeletePublicAccessBlock",
            json!({ "Bucket": "b" }),
            vec!["s3:PutBucketPublicAccessBlock arn:aws:s3:::b".to_owned()],
        ),
        (
            "ssm",
            "GetParameter",
            json!({ "Name": "/a/b" }),
            vec!["ssm:GetParameter arn:aws:ssm:-:parameter/a/b".to_owned()],
        ),
        (
            "ec2",
            "RevokeSecurityGroupEgress",
            json!({ "GroupId": "sg-1" }),
            vec!["ec2:RevokeSecurityGroupEgress arn:aws:ec2:-:security-group/sg-1".to_owned()],
        ),
        (
            "ec2",
            "CreateSubnet",
            json!({ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24" }),
            vec!["ec2:CreateSubnet arn:aws:ec2:-:vpc/vpc-1".to_owned()],
        ),
        ("ec2", "DescribeVpcs", json!({}), vec!["ec2:DescribeVpcs *".to_owned()]),
    ] {
        assert_eq!(needs(service, operation, &input).0, expected, "{operation}");
    }
}

#[test]
fn conditions_see_keys_and_attributes() {
    let leading = "dynamodb:LeadingKeys";
    let attributes = "dynamodb:Attributes";
    for (operation, input, key, expected) in [
        (
            "PutItem",
            json!({ "TableName": "t", "Item": { "id": { "S": "a" }, "n": { "N": "1" } } }),
            leading,
            vec!["a"],
        ),
        (
            "PutItem",
            json!({ "TableName": "t", "Item": { "id": { "S": "a" }, "n": { "N": "1" } } }),
            attributes,
            vec!["id", "n"],
        ),
        (
            "GetItem",
            json!({ "TableName": "t", "Key": { "id": { "N": "1" } }, "ProjectionExpression": "a.b, #c[0]", "ExpressionAttributeNames": { "#c": "see" } }),
            attributes,
            vec!["a", "id", "see"],
        ),
        (
            "UpdateItem",
            json!({ "TableName": "t", "Key": { "id": { "S": "a" } }, "UpdateExpression": "SET x = if_not_exists(y, :v) REMOVE z" }),
            attributes,
            vec!["id", "x", "y", "z"],
        ),
        (
            "Query",
            json!({ "TableName": "t", "KeyConditionExpression": "#k = :k AND r > :r", "ExpressionAttributeNames": { "#k": "id" }, "ExpressionAttributeValues": { ":k": { "S": "me" }, ":r": { "N": "1" } } }),
            leading,
            vec!["me"],
        ),
        (
            "Query",
            json!({ "TableName": "t", "IndexName": "i", "KeyConditionExpression": "other=:k", "ExpressionAttributeValues": { ":k": { "S": "me" } } }),
            leading,
            vec!["me"],
        ),
        (
            "Query",
            json!({ "TableName": "t", "KeyConditions": { "id": { "AttributeValueList": [{ "S": "me" }], "ComparisonOperator": "EQ" } } }),
            leading,
            vec!["me"],
        ),
        (
            "BatchWriteItem",
            json!({ "RequestItems": { "t": [{ "PutRequest": { "Item": { "id": { "S": "a" } } } }, { "DeleteRequest": { "Key": { "id": { "S": "b" } } } }] } }),
            leading,
            vec!["a", "b"],
        ),
        (
            "TransactGetItems",
            json!({ "TransactItems": [{ "Get": { "TableName": "t", "Key": { "id": { "S": "a" } } } }] }),
            leading,
            vec!["a"],
        ),
        ("Scan", json!({ "TableName": "t" }), leading, vec![]),
        ("Scan", json!({ "TableName": "t" }), "dynamodb:Select", vec!["ALL_ATTRIBUTES"]),
    ] {
        let (_, context) = needs("dynamodb", operation, &input);
        let found: Vec<&str> = context.values(key).unwrap_or_default().iter().map(String::as_str).collect();
        assert_eq!(found, expected, "{operation} {key}");
    }
}
