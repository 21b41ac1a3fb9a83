use crate::signed_for;
use http::Method;
use wire::{Request, route};

/// Where a request goes: `service.Operation`, or the error it gets.
fn check(request: Request, expect: &str) {
    let found = match route(&request, api::SERVICES) {
        Ok(route) => format!("{}.{}", route.service.name, route.operation.name),
        Err(unknown) => {
            let service = unknown.service.map_or("-", |service| service.name);
            format!("{service}: {}", unknown.error)
        }
    };
    assert_eq!(found, expect, "{} {}", request.method, request.path);
}

fn target(target: &str) -> Request {
    Request::post("{}").with_header("x-amz-target", target)
}

fn form(body: &'static str) -> Request {
    Request::post(body).with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
}

fn rest(method: Method, target: &str) -> Request {
    Request { method, ..Request::default() }.with_target(target)
}

#[test]
fn by_target() {
    check(target("DynamoDB_20120810.PutItem"), "dynamodb.PutItem");
    check(target("DynamoDBStreams_20120810.GetRecords"), "dynamodbstreams.GetRecords");
    check(target("Logs_20140328.FilterLogEvents"), "logs.FilterLogEvents");
    check(target("Logs_20140328.StartQuery"), "logs: NotImplemented: logs.StartQuery is not implemented");
    check(target("DynamoDB_20120810.Nothing"), "dynamodb: UnknownOperationException: ");
    check(target("DynamoDB_20120810"), "dynamodb: UnknownOperationException: ");
    check(target(""), "-: UnknownOperationException: ");
    check(target(".PutItem"), "-: UnknownOperationException: ");
    check(target("DynamoDB_20111205.PutItem"), "-: UnknownOperationException: ");
    check(
        signed_for(target("DynamoDB_20111205.PutItem"), "dynamodb"),
        "dynamodb: UnknownOperationException: ",
    );
}

#[test]
fn by_form() {
    check(form("Action=CreateRole&Version=2010-05-08"), "iam.CreateRole");
    check(form("Version=2011-06-15&Action=GetCallerIdentity"), "sts.GetCallerIdentity");
    check(rest(Method::GET, "/?Action=GetCallerIdentity&Version=2011-06-15"), "sts.GetCallerIdentity");
    check(
        form("Action=CreateLoginProfile&Version=2010-05-08"),
        "iam: NotImplemented: iam.CreateLoginProfile is not implemented",
    );
    check(
        form("Action=Nothing&Version=2010-05-08"),
        "iam: InvalidAction: Could not find operation Nothing for version 2010-05-08",
    );
    check(
        form("Action=Nothing&Version=1999-01-01"),
        "-: InvalidAction: Could not find operation Nothing for version 1999-01-01",
    );
    check(form("Action=DescribeVpcs&Version=2016-11-15"), "ec2.DescribeVpcs");
    check(
        form("Action=RunInstances&Version=2016-11-15"),
        "ec2: NotImplemented: ec2.RunInstances is not implemented",
    );
    check(form(""), "-: UnknownOperationException: ");
    check(
        signed_for(form("a=b"), "iam"),
        "iam: MissingAction: The request is missing an action or a required parameter.",
    );
}

#[test]
fn by_path() {
    check(rest(Method::POST, "/2015-03-31/functions"), "lambda.CreateFunction");
    check(rest(Method::POST, "/2015-03-31/functions/"), "lambda.CreateFunction");
    check(rest(Method::GET, "/2015-03-31/functions/?MaxItems=3"), "lambda.ListFunctions");
    check(rest(Method::GET, "/2015-03-31/functions/f"), "lambda.GetFunction");
    check(rest(Method::DELETE, "/2015-03-31/functions/f"), "lambda.DeleteFunction");
    check(rest(Method::POST, "/2015-03-31/functions/f/invocations"), "lambda.Invoke");
    check(rest(Method::POST, "/2015-03-31/event-source-mappings/"), "lambda.CreateEventSourceMapping");
    check(rest(Method::PUT, "/2015-03-31/event-source-mappings/0-1"), "lambda.UpdateEventSourceMapping");
    check(
        rest(Method::GET, "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af"),
        "lambda.ListTags",
    );
    check(rest(Method::GET, "/2018-10-31/layers?find=LayerVersion&Arn=a"), "lambda.GetLayerVersionByArn");
    check(rest(Method::GET, "/2018-10-31/layers"), "lambda.ListLayers");
    check(
        rest(Method::GET, "/2020-04-22/code-signing-configs"),
        "lambda: NotImplemented: lambda.ListCodeSigningConfigs is not implemented",
    );
    check(rest(Method::GET, "/2015-03-31/functions//invocations"), "-: UnknownOperationException: ");
    check(rest(Method::PATCH, "/2015-03-31/functions/f"), "-: UnknownOperationException: ");
    check(signed_for(rest(Method::GET, "/nowhere"), "lambda"), "lambda: UnknownOperationException: ");
    check(rest(Method::GET, "/"), "-: UnknownOperationException: ");
    check(rest(Method::GET, "//////"), "-: UnknownOperationException: ");
}
