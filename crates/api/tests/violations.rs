use crate::{json, operation};
use wire::{decode, violations};

fn check(name: &str, body: &str, expect: &str) {
    let operation = operation(name);
    let tree = match operation.service.target_prefix {
        "" => serde_json::from_str(body).expect("a tree"),
        _ => decode(&json(operation, body), operation).expect("a tree"),
    };
    let told = match violations(&tree, operation).finish() {
        Ok(()) => "fine".to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(told, expect, "{body}");
}

#[test]
fn one_by_one() {
    let one = |name: &str, body: &str, words: &str| {
        check(name, body, &format!("ValidationException: 1 validation error detected: Value {words}"));
    };
    one(
        "dynamodb.PutItem",
        r#"{"Item":{"pk":{"S":"x"}}}"#,
        "null at 'tableName' failed to satisfy constraint: Member must not be null",
    );
    one(
        "dynamodb.PutItem",
        r#"{"TableName":"","Item":{"pk":{"S":"x"}}}"#,
        "'' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
    one(
        "dynamodb.Scan",
        r#"{"TableName":"tab","Limit":0}"#,
        "'0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    );
    one(
        "dynamodb.Query",
        r#"{"TableName":"tab","Select":"INVALID_VALUE"}"#,
        "'INVALID_VALUE' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
    );
    one(
        "dynamodb.CreateTable",
        r#"{"TableName":"tab","KeySchema":[{"AttributeName":"pk","KeyType":"INVALID"}]}"#,
        "'INVALID' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]",
    );
    one(
        "dynamodb.CreateTable",
        r#"{"TableName":"tab","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"INVALID"}]}"#,
        "'INVALID' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]",
    );
    one(
        "dynamodb.TransactWriteItems",
        r#"{"TransactItems":[]}"#,
        "'[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
    one(
        "dynamodb.DeleteTable",
        r#"{"TableName":null}"#,
        "null at 'tableName' failed to satisfy constraint: Member must not be null",
    );
    one(
        "dynamodb.ListTables",
        r#"{"ExclusiveStartTableName":"a!b"}"#,
        "'a!b' at 'exclusiveStartTableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    );
}

#[test]
fn together_and_bounded() {
    check(
        "dynamodb.PutItem",
        r#"{"TableName":"tab","ReturnConsumedCapacity":"x","ReturnItemCollectionMetrics":"y","ReturnValues":"z"}"#,
        "ValidationException: 4 validation errors detected: \
         Value null at 'item' failed to satisfy constraint: Member must not be null; \
         Value 'z' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; \
         Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; \
         Value 'y' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]",
    );
    let items = vec![r#"{"AttributeName":"","KeyType":"X"}"#; 50].join(",");
    let operation = operation("dynamodb.CreateTable");
    let body = format!(r#"{{"TableName":"tab","KeySchema":[{items}]}}"#);
    let tree = decode(&json(operation, &body), operation).expect("a tree");
    let error = violations(&tree, operation).finish().expect_err("violations");
    assert!(error.message.expect("words").starts_with("10 validation errors detected: "));
}

#[test]
fn elements_of_lists_and_maps() {
    check(
        "dynamodb.BatchWriteItem",
        r#"{"RequestItems":{"tab":[]}}"#,
        "ValidationException: 1 validation error detected: Value '{tab=[]}' at 'requestItems' failed to satisfy constraint: \
         Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]",
    );
    check(
        "dynamodb.UntagResource",
        r#"{"ResourceArn":"arn:aws:dynamodb:us-east-1:123456789012:table/t","TagKeys":["a",""]}"#,
        "ValidationException: 1 validation error detected: Value '[a, ]' at 'tagKeys' failed to satisfy constraint: \
         Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]",
    );
    check(
        "dynamodb.GetItem",
        r##"{"TableName":"tab","Key":{"pk":{"S":"a","B":"eHg="}},"ExpressionAttributeNames":{"#a":"b"}}"##,
        "fine",
    );
}

#[test]
fn other_services_have_other_codes() {
    check(
        "iam.GetRole",
        r#"{}"#,
        "ValidationError: 1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null",
    );
    check(
        "logs.CreateLogGroup",
        r#"{"logGroupName":"a b"}"#,
        "InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
    );
    check(
        "lambda.CreateFunction",
        r#"{"FunctionName":"f","Role":"x","Code":{},"Timeout":0}"#,
        "ValidationException: 2 validation errors detected: Value 'x' at 'role' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+; \
         Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1",
    );
    check("lambda.Invoke", r#"{"FunctionName":"f"}"#, "fine");
    // [recorded: REST APIs] What is in a body is told of first, by the name of the operation's input.
    check(
        "apigateway.UpdateMethodResponse",
        r#"{"restApiId":"a","resourceId":"r","httpMethod":"GET","statusCode":"wrong","patchOperations":[{"op":"add"},{"op":"wrong"}]}"#,
        "ValidationException: 2 validation errors detected: Value 'wrong' at 'updateMethodResponseInput.patchOperations.2.member.op' \
         failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]; \
         Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d",
    );
    check(
        "apigateway.CreateRestApi",
        r#"{"name":"n","endpointConfiguration":{"types":["wrong"],"ipAddressType":"wrong"}}"#,
        "ValidationException: 2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' \
         failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]; \
         Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: \
         Member must satisfy enum value set: [ipv4, dualstack]",
    );
}

/// Every pattern of every table is enforced, or known not to be.
#[test]
fn patterns_compile() {
    let mut unenforced = Vec::new();
    for service in api::SERVICES {
        for operation in service.operations {
            visit(operation.input, &mut |pattern| {
                if pattern.regex.is_empty() {
                    unenforced.push(pattern.text);
                }
                pattern.matches("x");
            });
        }
    }
    unenforced.sort_unstable();
    unenforced.dedup();
    assert_eq!(unenforced, Vec::<&str>::new());
}

fn visit(shape: Option<&'static wire::shape::Shape>, see: &mut impl FnMut(&'static wire::shape::Pattern)) {
    let mut seen = std::collections::HashSet::new();
    let mut pending: Vec<&'static wire::shape::Shape> = shape.into_iter().collect();
    while let Some(shape) = pending.pop() {
        if !seen.insert(shape.name) {
            continue;
        }
        match &shape.kind {
            wire::shape::Kind::Structure(structure) => {
                pending.extend(structure.members.iter().map(|member| member.shape))
            }
            wire::shape::Kind::List(list) => pending.push(list.member),
            wire::shape::Kind::Map(map) => pending.extend([map.key, map.value]),
            wire::shape::Kind::String(text) => text.pattern.iter().for_each(&mut *see),
            _ => {}
        }
    }
}
