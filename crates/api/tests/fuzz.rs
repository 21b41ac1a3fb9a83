//! Mutated requests: every one gets an answer, and the two readings of a request never disagree.

use crate::{operation, signed_for};
use api::dynamodb::{BatchWriteItem, PutItem, Query, TransactWriteItems, UpdateItem};
use http::Method;
use wire::{Request, decode, encode_error, route, violations};
use world::Random;

const SEEDS: &[(&str, &str)] = &[
    (
        "dynamodb.PutItem",
        r#"{"TableName":"tab","Item":{"a":{"S":"x"},"n":{"N":"-1.5e3"},"b":{"B":"AQI="},"l":{"L":[{"BOOL":true},{"NULL":true}]},"m":{"M":{"x":{"NS":["1","2"]}}}},"ReturnValues":"ALL_OLD"}"#,
    ),
    (
        "dynamodb.UpdateItem",
        r##"{"TableName":"tab","Key":{"pk":{"S":"x"}},"UpdateExpression":"SET #a = :a","ExpressionAttributeNames":{"#a":"a"},"ExpressionAttributeValues":{":a":{"SS":["x","y"]}}}"##,
    ),
    (
        "dynamodb.Query",
        r#"{"TableName":"tab","IndexName":"idx","Limit":10,"KeyConditionExpression":"a = :a","ScanIndexForward":false,"ExclusiveStartKey":{"a":{"S":"k"}}}"#,
    ),
    (
        "dynamodb.BatchWriteItem",
        r#"{"RequestItems":{"tab":[{"PutRequest":{"Item":{"a":{"S":"x"}}}},{"DeleteRequest":{"Key":{"a":{"S":"y"}}}}]}}"#,
    ),
    (
        "dynamodb.TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"tab","Item":{"a":{"S":"x"}}}}],"ClientRequestToken":"t"}"#,
    ),
    (
        "dynamodb.CreateTable",
        r#"{"TableName":"tab","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#,
    ),
    ("logs.FilterLogEvents", r#"{"logGroupName":"/aws/lambda/f","interleaved":true,"startTime":1}"#),
    (
        "iam.CreateRole",
        "Action=CreateRole&Version=2010-05-08&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Value=%C3%A9",
    ),
    (
        "lambda.CreateFunction",
        r#"{"FunctionName":"f","Runtime":"python3.12","Code":{"ZipFile":"AQI="},"Environment":{"Variables":{"a":"b"}},"Timeout":3}"#,
    ),
];

const TOKENS: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-",
    "0",
    "1e999",
    "\\u0000",
    "\\ud800",
    "\\",
    "\"S\":",
    "\"N\":\"x\"",
    "&",
    "=",
    "%",
    ".member.1",
    " ",
    "é",
    "\u{0}",
    "\u{7f}",
];

fn mutate(random: &mut Random, seed: &str) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len() as u64) as usize].bytes())),
            2 if at < bytes.len() => bytes[at] = random.next_u64() as u8,
            3 => {
                let to = (at + random.below(8) as usize).min(bytes.len());
                bytes.drain(at..to);
            }
            4 => {
                let to = (at + random.below(30) as usize).min(bytes.len());
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {}
        }
    }
    bytes
}

#[test]
fn mutated_requests_are_answered() {
    let mut random = Random::from_seed(0xf022);
    for round in 0..30_000usize {
        let (name, seed) = SEEDS[round % SEEDS.len()];
        let operation = operation(name);
        let body = mutate(&mut random, seed);
        let request = Request { body: body.clone().into(), ..Request::post("") };
        let decoded = decode(&request, operation);
        let checked = decoded.and_then(|tree| {
            violations(&tree, operation).finish()?;
            Ok(tree)
        });
        if let Err(error) = &checked {
            let response = encode_error(operation.service, error.clone(), "id");
            assert!(response.status.is_client_error(), "{error}");
        }
        // What the fast path reads, the other path finds nothing wrong with.
        let fast = match operation.name {
            "PutItem" => PutItem::read(&body).is_some(),
            "UpdateItem" => UpdateItem::read(&body).is_some(),
            "Query" => Query::read(&body).is_some(),
            "BatchWriteItem" => BatchWriteItem::read(&body).is_some(),
            "TransactWriteItems" => TransactWriteItems::read(&body).is_some(),
            _ => false,
        };
        if fast && let Err(error) = checked {
            panic!("{name}: {error}\n{}", String::from_utf8_lossy(&body));
        }
    }
}

#[test]
fn mutated_envelopes_are_routed_or_refused() {
    let mut random = Random::from_seed(0x0e7);
    let targets = [
        "DynamoDB_20120810.PutItem",
        "/2015-03-31/functions/f/invocations?Qualifier=1",
        "/2017-03-31/tags/arn%3Aaws",
    ];
    for round in 0..20_000usize {
        let text = String::from_utf8_lossy(&mutate(&mut random, targets[round % targets.len()])).into_owned();
        let request = match round % targets.len() {
            0 => Request::post("{}").with_header("x-amz-target", &text),
            _ => Request { method: [Method::GET, Method::POST][round % 2].clone(), ..Request::default() }
                .with_target(&text),
        };
        for request in [request.clone(), signed_for(request, "lambda")] {
            match route(&request, api::SERVICES) {
                Ok(route) => drop(decode(&request, route.operation)),
                Err(unknown) => drop(unknown.into_response("id")),
            }
        }
    }
}
