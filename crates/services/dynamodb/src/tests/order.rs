//! What is told first, where a request is wrong in several ways; and what is found wrong before a table is looked for.

use super::Bench;
use serde_json::json;

#[test]
fn short_names_are_wrong_before_they_are_looked_for() {
    let bench = Bench::new();
    let rule = "failed to satisfy constraint: Member must have length greater than or equal to";
    let get = |name: &str| json!({ "TableName": name, "Key": { "pk": { "S": "1" } } });
    let told = |name: &str, least: u8| {
        format!("1 validation error detected: Value '{name}' at 'tableName' {rule} {least}")
    };
    bench.refuses("GetItem", get("ab"), &told("ab", 3));
    bench.refuses("GetItem", get(""), &told("", 1));
    let keys = json!({ "RequestItems": { "ab": { "Keys": [{ "pk": { "S": "1" } }] } } });
    bench.refuses("BatchGetItem", keys, &told("ab", 3));
}

#[test]
fn a_batch_that_repeats_keys_is_wrong_without_a_table_too() {
    let bench = Bench::with_tables();
    for table in ["Hash", "None"] {
        let keys = json!({ "RequestItems": { table: { "Keys": [{ "pk": { "S": "1" } }, { "pk": { "S": "1" } }] } } });
        bench.refuses("BatchGetItem", keys, "Provided list of item keys contains duplicates");
    }
}

#[test]
fn changes_that_are_wrong_by_themselves_need_no_table() {
    let bench = Bench::new();
    let update = |updates| json!({ "TableName": "None", "GlobalSecondaryIndexUpdates": updates });
    let delete = |name: &str| json!({ "Delete": { "IndexName": name } });
    let change = json!({ "Update": { "IndexName": "one", "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 } } });
    bench.refuses(
        "UpdateTable",
        update(json!([{}])),
        "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null",
    );
    bench.refuses(
        "UpdateTable",
        update(json!([change, change])),
        "One or more parameter values were invalid: Only one global secondary index update per index is allowed simultaneously. Index: one",
    );
    let answer = bench.ask("UpdateTable", update(json!([delete("one"), delete("two")])));
    assert_eq!(answer["error"], "LimitExceededException");
    let units = json!({ "ReadCapacityUnits": 1_000_000_000_001_u64, "WriteCapacityUnits": 1 });
    bench.refuses(
        "UpdateTable",
        json!({ "TableName": "None", "ProvisionedThroughput": units }),
        "Given value 1000000000001 for ReadCapacityUnits is out of bounds for table",
    );
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/None";
    bench.refuses(
        "TagResource",
        json!({ "ResourceArn": arn, "Tags": [] }),
        "Atleast one Tag needs to be provided as Input.",
    );
}

#[test]
fn what_an_index_lacks_is_told_before_paths_into_keys() {
    let bench = Bench::with_tables();
    let wrong = json!({
        "TableName": "Both", "IndexName": "global-some", "Select": "ALL_ATTRIBUTES",
        "FilterExpression": "pk.deeper = :v", "ExpressionAttributeValues": { ":v": { "S": "1" } },
    });
    bench.refuses(
        "Scan",
        wrong,
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index global-some because its projection type is not ALL",
    );
    let start = json!({
        "TableName": "Both", "ExclusiveStartKey": { "pk": { "S": "1" } },
        "FilterExpression": "pk.deeper = :v", "ExpressionAttributeValues": { ":v": { "S": "1" } },
    });
    bench.refuses(
        "Scan",
        start,
        "The provided starting key is invalid: The provided key element does not match the schema",
    );
}

#[test]
fn a_partition_of_one_item_has_nothing_to_go_on_with() {
    let bench = Bench::with_tables();
    bench.check("PutItem", json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" } } }), json!({}));
    let query = json!({
        "TableName": "Hash", "KeyConditionExpression": "pk = :pk", "Limit": 1,
        "ExpressionAttributeValues": { ":pk": { "S": "1" } },
    });
    let answer = bench.ask("Query", query.clone());
    assert_eq!((&answer["Count"], answer.get("LastEvaluatedKey")), (&json!(1), None));
    let mut query = query;
    query["ExclusiveStartKey"] = json!({ "pk": { "S": "1" } });
    bench.refuses(
        "Query",
        query,
        "The provided exclusive start key is invalid: ExclusiveStartKey: {pk=AttributeValue: {S:1}}",
    );
}

#[test]
fn the_first_part_of_a_transaction_that_is_wrong_is_told() {
    let bench = Bench::with_tables();
    let put = |key| json!({ "Put": { "TableName": "Hash", "Item": { "pk": key } } });
    let wrong = json!({ "TransactItems": [put(json!({ "S": "1" })), put(json!({ "N": "1" })), put(json!({ "N": "2" }))] });
    let answer = bench.ask("TransactWriteItems", wrong);
    let codes: Vec<_> =
        answer["CancellationReasons"].as_array().unwrap().iter().map(|reason| &reason["Code"]).collect();
    assert_eq!(codes, ["None", "ValidationError", "None"]);
}

#[test]
fn a_filter_may_ask_for_one_of_many_values() {
    let bench = Bench::with_tables();
    for key in ["1", "2"] {
        bench.check(
            "PutItem",
            json!({ "TableName": "Hash", "Item": { "pk": { "S": key }, "n": { "N": key } } }),
            json!({}),
        );
    }
    let many: Vec<_> = (2..30_000).map(|n| json!({ "N": n.to_string() })).collect();
    let filter = json!({ "n": { "ComparisonOperator": "IN", "AttributeValueList": many } });
    let answer = bench.ask("Scan", json!({ "TableName": "Hash", "ScanFilter": filter }));
    assert_eq!(answer["Items"], json!([{ "pk": { "S": "2" }, "n": { "N": "2" } }]));
}
