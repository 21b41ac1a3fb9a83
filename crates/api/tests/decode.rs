use crate::{json, operation, text};
use http::Method;
use wire::{Request, decode};

fn told(request: &Request, name: &str) -> String {
    match decode(request, operation(name)) {
        Ok(tree) => text(&tree),
        Err(error) => match error.message {
            Some(message) => format!("{}: {message}", error.code),
            None => error.code.to_string(),
        },
    }
}

fn check_json(name: &str, body: &str, expect: &str) {
    assert_eq!(told(&json(operation(name), body), name), expect, "{body}");
}

#[test]
fn json_keeps_what_the_model_knows() {
    check_json("dynamodb.DescribeTable", r#"{"TableName":"t"}"#, r#"{"TableName":"t"}"#);
    check_json("dynamodb.DescribeTable", r#"{"TableName":null,"Other":[1,{"a":2}]}"#, "{}");
    check_json("dynamodb.ListTables", r#"{"Limit":3.7}"#, r#"{"Limit":3}"#);
    check_json("dynamodb.ListTables", r#"{"Limit":99999999999}"#, r#"{"Limit":2147483647}"#);
    check_json(
        "dynamodb.PutItem",
        r#"{"Item":{"b":{"S":"x","X":1},"a":{"L":[{"N":"1"},null]}},"TableName":"t"}"#,
        r#"{"Item":{"b":{"S":"x"},"a":{"L":[{"N":"1"},null]}},"TableName":"t"}"#,
    );
    check_json("dynamodb.PutItem", r#"{"TableName":"a","TableName":"b"}"#, r#"{"TableName":"b"}"#);
    check_json(
        "logs.PutLogEvents",
        r#"{"logEvents":[{"timestamp":1,"message":"m"}]}"#,
        r#"{"logEvents":[{"timestamp":1,"message":"m"}]}"#,
    );
}

#[test]
fn json_that_does_not_fit_is_told_as_java_tells_it() {
    let words = |name: &str, body: &str, words: &str| {
        check_json(name, body, &format!("com.amazon.coral.service#SerializationException: {words}"));
    };
    let table =
        |value: &str, expect: &str| words("dynamodb.PutItem", &format!(r#"{{"TableName":{value}}}"#), expect);
    table("1", "NUMBER_VALUE cannot be converted to String");
    table("-2.1", "DECIMAL_VALUE cannot be converted to String");
    table("true", "TRUE_VALUE cannot be converted to String");
    table("false", "FALSE_VALUE cannot be converted to String");
    table("[]", "Unrecognized collection type class java.lang.String");
    table("{}", "Start of structure or map found where not expected");

    let read = |value: &str, expect: &str| {
        words("dynamodb.GetItem", &format!(r#"{{"ConsistentRead":{value}}}"#), expect)
    };
    read("\"x\"", "Unexpected token received from parser");
    read("1", "NUMBER_VALUE cannot be converted to Boolean");
    read("[]", "Unrecognized collection type class java.lang.Boolean");

    let limit =
        |value: &str, expect: &str| words("dynamodb.Scan", &format!(r#"{{"Limit":{value}}}"#), expect);
    limit("\"1\"", "STRING_VALUE cannot be converted to Integer");
    limit("true", "TRUE_VALUE cannot be converted to Integer");
    limit("{}", "Start of structure or map found where not expected");

    let item =
        |value: &str, expect: &str| words("dynamodb.PutItem", &format!(r#"{{"Item":{value}}}"#), expect);
    item("\"x\"", "Unexpected field type");
    item(
        "[]",
        "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
    );
    item(r#"{"a":1}"#, "Unexpected value type in payload");
    item(r#"{"a":[]}"#, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
    item(r#"{"a":{"S":1}}"#, "NUMBER_VALUE cannot be converted to String");
    item(r#"{"a":{"SS":"x"}}"#, "Unexpected field type");
    item(r#"{"a":{"SS":{}}}"#, "Start of structure or map found where not expected");
    item(r#"{"a":{"B":1}}"#, "only base-64-encoded strings are convertible to bytes");
    item(r#"{"a":{"B":"abcde"}}"#, "Base64 encoded length is expected a multiple of 4 bytes but found: 5");
    item(r#"{"a":{"B":"$$$$"}}"#, "Invalid Base64 character: '$'");
}

#[test]
fn json_that_is_none_gets_no_words() {
    for body in ["", "{", "[]", "\"x\"", "1", "{\"TableName\":\"\u{1}\"}", "{\"a\":1}x", "{'a':1}", "nul"] {
        check_json("dynamodb.PutItem", body, "com.amazon.coral.service#SerializationException");
    }
    let broken = json(operation("dynamodb.PutItem"), "");
    let broken = Request { body: b"{\"TableName\":\"\xff\"}".to_vec().into(), ..broken };
    assert_eq!(told(&broken, "dynamodb.PutItem"), "com.amazon.coral.service#SerializationException");
    let deep = format!("{{\"Item\":{}", "{\"a\":".repeat(100_000));
    check_json(
        "dynamodb.PutItem",
        &deep,
        "ValidationException: Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
    );
}

fn check_form(name: &str, body: &'static str, expect: &str) {
    assert_eq!(told(&Request::post(body), name), expect, "{body}");
}

#[test]
fn forms() {
    check_form(
        "iam.CreateRole",
        "Action=CreateRole&Version=2010-05-08&RoleName=r+1&MaxSessionDuration=3600&Tags.member.2.Key=b&Tags.member.2.Value=%C3%A9&Tags.member.1.Key=a&Other=1",
        r#"{"RoleName":"r 1","MaxSessionDuration":3600,"Tags":[{"Key":"a"},{"Key":"b","Value":"é"}]}"#,
    );
    check_form("iam.CreateRole", "RoleName=r&Tags=&Path=", r#"{"Path":"","RoleName":"r","Tags":[]}"#);
    check_form(
        "iam.UntagRole",
        "RoleName=r&TagKeys.member.10=j&TagKeys.member.9=i",
        r#"{"RoleName":"r","TagKeys":["i","j"]}"#,
    );
    check_form("iam.ListPolicies", "OnlyAttached=true", r#"{"OnlyAttached":true}"#);
    check_form("iam.ListPolicies", "OnlyAttached=maybe", "MalformedInput: Invalid boolean value: 'maybe'");
    check_form("iam.CreateRole", "MaxSessionDuration=x", "MalformedInput: Invalid integer value: 'x'");
    check_form("iam.CreateRole", "RoleName=%ff", "MalformedInput: A parameter is not UTF-8");
    check_form("sts.GetCallerIdentity", "&&==&", "{}");
    let deep: &'static str = format!("{}=1", "a.".repeat(10_000)).leak();
    check_form("iam.CreateRole", deep, "MalformedInput: A parameter's name has too many parts");
}

fn check_rest(name: &str, method: Method, target: &str, body: &str, expect: &str) {
    let request = Request { method, body: body.to_owned().into(), ..Request::default() }.with_target(target);
    assert_eq!(told(&request, name), expect, "{target}");
}

#[test]
fn rest_gathers_from_everywhere() {
    check_rest(
        "lambda.UpdateEventSourceMapping",
        Method::PUT,
        "/2015-03-31/event-source-mappings/0-1/",
        r#"{"Enabled":false,"UUID":"ignored"}"#,
        r#"{"Enabled":false,"UUID":"0-1"}"#,
    );
    check_rest(
        "lambda.ListTags",
        Method::GET,
        "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af",
        "",
        r#"{"Resource":"arn:aws:lambda:us-east-1:1:function:f"}"#,
    );
    check_rest(
        "lambda.UntagResource",
        Method::DELETE,
        "/2017-03-31/tags/a?tagKeys=x&tagKeys=y%20z",
        "",
        r#"{"Resource":"a","TagKeys":["x","y z"]}"#,
    );
    check_rest(
        "lambda.ListFunctions",
        Method::GET,
        "/2015-03-31/functions?MaxItems=3",
        "",
        r#"{"MaxItems":3}"#,
    );
    check_rest(
        "lambda.ListFunctions",
        Method::GET,
        "/2015-03-31/functions?MaxItems=x",
        "",
        "MalformedInput: Invalid integer value: 'x'",
    );
    check_rest(
        "lambda.Invoke",
        Method::POST,
        "/2015-03-31/functions/f/invocations?Qualifier=1",
        "not json",
        r#"{"FunctionName":"f","Qualifier":"1"}"#,
    );
    check_rest("lambda.CreateFunction", Method::POST, "/2015-03-31/functions", "", "{}");
    check_rest(
        "lambda.CreateFunction",
        Method::POST,
        "/2015-03-31/functions",
        "{",
        "InvalidRequestContentException: Could not parse request body into json: EOF while parsing an object at line 1 column 1",
    );
    check_rest(
        "lambda.CreateFunction",
        Method::POST,
        "/2015-03-31/functions",
        r#"{"Timeout":"x"}"#,
        "SerializationException: STRING_VALUE cannot be converted to Integer",
    );
    let request = Request::post("{}")
        .with_target("/2015-03-31/functions/f/invocations")
        .with_header("X-Amz-Invocation-Type", "Event")
        .with_header("X-Amz-Log-Type", "Tail");
    assert_eq!(
        told(&request, "lambda.Invoke"),
        r#"{"FunctionName":"f","InvocationType":"Event","LogType":"Tail"}"#
    );
}

#[test]
fn forms_of_ec2_have_capitals_and_flat_lists() {
    let check = |name: &str, body: &str, expect: &str| {
        let request = Request::post(body.to_owned())
            .with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(told(&request, name), expect, "{body}");
    };
    check(
        "ec2.DescribeVpcs",
        "Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=isDefault&Filter.1.Value.1=true&VpcId.2=b&VpcId.1=a",
        r#"{"Filters":[{"Name":"isDefault","Values":["true"]}],"VpcIds":["a","b"]}"#,
    );
    // The model's own names are small; those of forms are not.
    check("ec2.DeleteVpc", "VpcId=v&DryRun=true", r#"{"VpcId":"v","DryRun":true}"#);
    check(
        "ec2.DeleteTags",
        "ResourceId.1=r&Tag.1.Key=k&dryRun=true",
        r#"{"Resources":["r"],"Tags":[{"Key":"k"}]}"#,
    );
    check("ec2.CreateSecurityGroup", "GroupDescription=d", r#"{"Description":"d"}"#);
}
