use crate::{operation, service};
use serde_json::{Value, json};
use wire::{Response, ServiceError, encode, encode_error, encode_payload, json_response};

/// Status, headers in their order of names, body.
fn told(response: &Response) -> String {
    let mut headers: Vec<String> = response
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
        .collect();
    headers.sort();
    let body = String::from_utf8(response.body.to_vec()).expect("text");
    format!("{}\n{}\n\n{body}", response.status.as_u16(), headers.join("\n"))
}

fn check(response: Response, expect: &str) {
    assert_eq!(told(&response), expect);
}

#[test]
fn json_bodies() {
    let body = br#"{"Item":{}}"#.to_vec();
    let crc = crc32fast_of(&body);
    check(
        json_response(service("dynamodb"), body, "id-1"),
        &format!(
            "200\ncontent-type: application/x-amz-json-1.0\nx-amz-crc32: {crc}\nx-amzn-requestid: id-1\n\n{{\"Item\":{{}}}}"
        ),
    );
    check(
        encode(operation("logs.DescribeLogGroups"), json!({"logGroups": [{"creationTime": 5}]}), "id-2"),
        "200\ncontent-type: application/x-amz-json-1.1\nx-amzn-requestid: id-2\n\n{\"logGroups\":[{\"creationTime\":5}]}",
    );
    // An operation without an output answers an empty object, or nothing at all where the model has none.
    let empty = encode(operation("logs.CreateLogGroup"), Value::Null, "id-3");
    assert_eq!(&empty.body[..], b"{}");
}

/// The sum of zlib and PNG, bit by bit.
fn crc32fast_of(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[test]
fn json_errors() {
    let body = |service_name: &str, error: ServiceError| {
        let response = encode_error(service(service_name), error, "id");
        format!("{} {}", response.status.as_u16(), String::from_utf8_lossy(&response.body))
    };
    assert_eq!(
        body("dynamodb", ServiceError::new("ResourceNotFoundException", "Requested resource not found")),
        r#"400 {"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#
    );
    assert_eq!(
        body("dynamodb", ServiceError::new("ValidationException", "x")),
        r#"400 {"__type":"com.amazon.coral.validate#ValidationException","message":"x"}"#
    );
    assert_eq!(
        body("dynamodb", ServiceError::coral("SerializationException", "x")),
        r#"400 {"__type":"com.amazon.coral.service#SerializationException","Message":"x"}"#
    );
    assert_eq!(
        body("dynamodb", ServiceError::silent("com.amazon.coral.service#UnknownOperationException")),
        r#"400 {"__type":"com.amazon.coral.service#UnknownOperationException"}"#
    );
    assert_eq!(
        body("dynamodb", ServiceError::new("InternalServerError", "x")).split(' ').next(),
        Some("500")
    );
    assert_eq!(
        body(
            "dynamodb",
            ServiceError::new("TransactionCanceledException", "x").with("CancellationReasons", json!([]))
        ),
        r#"400 {"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"x","CancellationReasons":[]}"#
    );
    assert_eq!(
        body("logs", ServiceError::new("ResourceNotFoundException", "x")),
        r#"400 {"__type":"ResourceNotFoundException","message":"x"}"#
    );
}

#[test]
fn xml() {
    check(
        encode(
            operation("sts.GetCallerIdentity"),
            json!({"UserId": "u", "Account": "123456789012", "Arn": "a&<b>"}),
            "id",
        ),
        "200\ncontent-type: text/xml\nx-amzn-requestid: id\n\n\
         <GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <UserId>u</UserId><Account>123456789012</Account><Arn>a&amp;&lt;b&gt;</Arn></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
    );
    let body = |name: &str, output: Value| {
        String::from_utf8(encode(operation(name), output, "id").body.to_vec()).expect("text")
    };
    let roles = body(
        "iam.ListRoles",
        json!({"Roles": [{"RoleName": "r", "CreateDate": 1_795_222_923, "Tags": [{"Key": "k", "Value": "v"}]}, {"RoleName": "s"}], "IsTruncated": false}),
    );
    assert!(roles.contains("<Roles><member>"), "{roles}");
    assert!(roles.contains("<CreateDate>2026-11-21T01:02:03Z</CreateDate>"), "{roles}");
    assert!(roles.contains("<Tags><member><Key>k</Key><Value>v</Value></member></Tags>"), "{roles}");
    assert!(roles.contains("<IsTruncated>false</IsTruncated>"), "{roles}");
    let none = body("iam.DeleteRole", Value::Null);
    assert_eq!(
        none,
        "<DeleteRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteRoleResponse>"
    );
    // What XML cannot hold becomes what it can.
    assert!(
        body("sts.GetCallerIdentity", json!({"Arn": "\u{0}\u{8}x"})).contains("<Arn>\u{fffd}\u{fffd}x</Arn>")
    );
}

#[test]
fn xml_errors() {
    let expect = |kind: &str, code: &str| {
        format!(
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>{kind}</Type><Code>{code}</Code><Message>x</Message></Error><RequestId>id</RequestId></ErrorResponse>"
        )
    };
    for (code, status, kind, on_wire) in [
        ("NoSuchEntityException", 404, "Sender", "NoSuchEntity"),
        ("DeleteConflictException", 409, "Sender", "DeleteConflict"),
        ("ServiceFailureException", 500, "Receiver", "ServiceFailure"),
        ("ValidationError", 400, "Sender", "ValidationError"),
    ] {
        let response = encode_error(service("iam"), ServiceError::new(code, "x"), "id");
        assert_eq!(response.status.as_u16(), status);
        assert_eq!(String::from_utf8_lossy(&response.body), expect(kind, on_wire));
    }
}

#[test]
fn rest() {
    check(
        encode(operation("lambda.DeleteFunction"), json!({"StatusCode": 204}), "id"),
        "204\nx-amzn-requestid: id\n\n",
    );
    let created = encode(operation("lambda.CreateFunction"), json!({"FunctionName": "f"}), "id");
    assert_eq!((created.status.as_u16(), &created.body[..]), (201, &br#"{"FunctionName":"f"}"#[..]));
    let output = json!({"StatusCode": 202, "FunctionError": "Unhandled", "LogResult": "bG9n", "ExecutedVersion": "$LATEST"});
    check(
        encode_payload(operation("lambda.Invoke"), output, "true".into(), "id"),
        "202\ncontent-type: application/json\nx-amz-executed-version: $LATEST\nx-amz-function-error: Unhandled\nx-amz-log-result: bG9n\nx-amzn-requestid: id\n\ntrue",
    );
    check(
        encode_error(
            service("lambda"),
            ServiceError::new("ResourceNotFoundException", "Function not found: a"),
            "id",
        ),
        "404\ncontent-type: application/json\nx-amzn-errortype: ResourceNotFoundException\nx-amzn-requestid: id\n\n{\"Type\":\"User\",\"Message\":\"Function not found: a\"}",
    );
    check(
        encode_error(
            service("lambda"),
            ServiceError::new("ValidationException", "1 validation error detected"),
            "id",
        ),
        "400\ncontent-type: application/json\nx-amzn-errortype: ValidationException\nx-amzn-requestid: id\n\n{\"message\":\"1 validation error detected\"}",
    );
}

#[test]
fn ec2_answers_without_a_result_element() {
    let output = json!({"Vpcs": [{"VpcId": "v", "IsDefault": true, "Tags": [{"Key": "a", "Value": "<"}]}]});
    check(
        encode(operation("ec2.DescribeVpcs"), output, "id"),
        concat!(
            "200\ncontent-type: text/xml\nx-amzn-requestid: id\n\n",
            "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15\"><requestId>id</requestId><vpcSet><item>",
            "<isDefault>true</isDefault><tagSet><item><key>a</key><value>&lt;</value></item></tagSet><vpcId>v</vpcId>",
            "</item></vpcSet></DescribeVpcsResponse>",
        ),
    );
    check(
        encode(operation("ec2.DeleteVpc"), json!({}), "id"),
        concat!(
            "200\ncontent-type: text/xml\nx-amzn-requestid: id\n\n",
            "<DeleteVpcResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15\"><requestId>id</requestId><return>true</return></DeleteVpcResponse>",
        ),
    );
    check(
        encode_error(service("ec2"), ServiceError::new("InvalidVpcID.NotFound", "no"), "id"),
        concat!(
            "400\ncontent-type: text/xml\nx-amzn-requestid: id\n\n",
            "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error></Errors>",
            "<RequestID>id</RequestID></Response>",
        ),
    );
}
