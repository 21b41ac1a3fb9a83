use super::Bench;
use serde_json::json;

#[test]
fn an_item_of_every_type_comes_back() {
    let bench = Bench::with_tables();
    let item = json!({
        "pk": { "S": "1" },
        "string": { "S": "é\n\"" }, "number": { "N": "-1.5" }, "binary": { "B": "AQID" },
        "yes": { "BOOL": true }, "null": { "NULL": true },
        "list": { "L": [{ "S": "" }, { "L": [] }] }, "map": { "M": { "in": { "M": {} } } },
        "strings": { "SS": ["a", "b"] }, "numbers": { "NS": ["1", "2"] }, "binaries": { "BS": ["AQ==", "Ag=="] },
    });
    bench.check("PutItem", json!({ "TableName": "Hash", "Item": item }), json!({}));
    let key = json!({ "pk": { "S": "1" } });
    bench.check("GetItem", json!({ "TableName": "Hash", "Key": key }), json!({ "Item": item }));
    bench.check("GetItem", json!({ "TableName": "Hash", "Key": { "pk": { "S": "2" } } }), json!({}));
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Hash";
    bench.check("GetItem", json!({ "TableName": arn, "Key": key }), json!({ "Item": item }));
}

#[test]
fn numbers_are_told_in_one_form() {
    let bench = Bench::with_tables();
    for (given, told) in [("00042", "42"), ("1.0", "1"), ("1.5E2", "150"), ("-0", "0"), ("3.1400", "3.14")] {
        bench.check(
            "PutItem",
            json!({ "TableName": "Hash", "Item": { "pk": { "S": "n" }, "n": { "N": given } } }),
            json!({}),
        );
        bench.check(
            "GetItem",
            json!({ "TableName": "Hash", "Key": { "pk": { "S": "n" } }, "ProjectionExpression": "n" }),
            json!({ "Item": { "n": { "N": told } } }),
        );
    }
}

#[test]
fn writes_return_what_is_asked_for() {
    let bench = Bench::with_tables();
    let put = |extra: serde_json::Value| {
        let mut put = json!({ "TableName": "Hash", "Item": { "pk": { "S": "r" }, "a": { "N": "1" } } });
        put.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        put
    };
    let whole = json!({ "pk": { "S": "r" }, "a": { "N": "1" } });
    bench.check("PutItem", put(json!({ "ReturnValues": "ALL_OLD" })), json!({}));
    bench.check("PutItem", put(json!({ "ReturnValues": "ALL_OLD" })), json!({ "Attributes": whole }));
    bench.check("PutItem", put(json!({ "ReturnValues": "NONE" })), json!({}));
    let update = |returned: &str, expression: &str| {
        json!({
            "TableName": "Hash", "Key": { "pk": { "S": "r" } }, "ReturnValues": returned,
            "UpdateExpression": expression, "ExpressionAttributeValues": { ":v": { "N": "1" } },
        })
    };
    let a = |n: &str| json!({ "Attributes": { "a": { "N": n } } });
    let all = |n: &str| json!({ "Attributes": { "pk": { "S": "r" }, "a": { "N": n } } });
    bench.check("UpdateItem", update("UPDATED_NEW", "ADD a :v"), a("2"));
    bench.check("UpdateItem", update("UPDATED_OLD", "ADD a :v"), a("2"));
    bench.check("UpdateItem", update("ALL_OLD", "ADD a :v"), all("3"));
    bench.check("UpdateItem", update("ALL_NEW", "ADD a :v"), all("5"));
    bench.check("UpdateItem", update("NONE", "SET a = :v"), json!({}));
    bench.check("UpdateItem", update("UPDATED_OLD", "SET b = :v"), json!({}));
    let delete = json!({ "TableName": "Hash", "Key": { "pk": { "S": "r" } }, "ReturnValues": "ALL_OLD" });
    bench.check(
        "DeleteItem",
        delete.clone(),
        json!({ "Attributes": { "pk": { "S": "r" }, "a": { "N": "1" }, "b": { "N": "1" } } }),
    );
    bench.check("DeleteItem", delete, json!({}));
}

#[test]
fn touched_parts_come_in_the_shape_of_their_parents() {
    let bench = Bench::with_tables();
    let nested = json!({ "pk": { "S": "t" }, "m": { "M": { "l": { "L": [{ "N": "1" }, { "N": "2" }] }, "x": { "S": "" } } } });
    bench.check("PutItem", json!({ "TableName": "Hash", "Item": nested }), json!({}));
    bench.check(
        "UpdateItem",
        json!({
            "TableName": "Hash", "Key": { "pk": { "S": "t" } }, "ReturnValues": "UPDATED_NEW",
            "UpdateExpression": "SET m.l[1] = :v", "ExpressionAttributeValues": { ":v": { "N": "3" } },
        }),
        json!({ "Attributes": { "m": { "M": { "l": { "L": [{ "N": "3" }] } } } } }),
    );
}

#[test]
fn a_condition_that_fails_shows_the_item_to_whom_it_is_asked_for() {
    let bench = Bench::with_tables();
    let item = json!({ "pk": { "S": "c" }, "a": { "N": "1" } });
    bench.check("PutItem", json!({ "TableName": "Hash", "Item": item }), json!({}));
    let put = |shown: &str| {
        json!({
            "TableName": "Hash", "Item": { "pk": { "S": "c" } },
            "ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": shown,
        })
    };
    let failed =
        json!({ "error": "ConditionalCheckFailedException", "message": "The conditional request failed" });
    bench.check("PutItem", put("NONE"), failed.clone());
    let mut shown = failed;
    shown["Item"] = item;
    bench.check("PutItem", put("ALL_OLD"), shown);
}

#[test]
fn consumed_capacity_is_told_in_total_or_by_index() {
    let bench = Bench::with_tables();
    bench.check(
        "PutItem",
        json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" } }, "ReturnConsumedCapacity": "TOTAL" }),
        json!({ "ConsumedCapacity": { "TableName": "Hash", "CapacityUnits": 1.0 } }),
    );
    let get = |consistent: bool| {
        json!({
            "TableName": "Hash", "Key": { "pk": { "S": "2" } },
            "ReturnConsumedCapacity": "INDEXES", "ConsistentRead": consistent,
        })
    };
    let units = |units: f64| {
        json!({ "ConsumedCapacity": {
            "TableName": "Hash", "CapacityUnits": units, "Table": { "CapacityUnits": units },
        } })
    };
    bench.check("GetItem", get(false), units(0.5));
    bench.check("GetItem", get(true), units(1.0));
    bench.check(
        "PutItem",
        json!({
            "TableName": "Both",
            "Item": { "pk": { "S": "1" }, "sk": { "S": "1" }, "a": { "S": "1" } },
            "ReturnConsumedCapacity": "INDEXES",
        }),
        json!({ "ConsumedCapacity": {
            "TableName": "Both", "CapacityUnits": 3.0, "Table": { "CapacityUnits": 1.0 },
            "LocalSecondaryIndexes": { "local-all": { "CapacityUnits": 1.0 } },
            "GlobalSecondaryIndexes": { "global-all": { "CapacityUnits": 1.0 } },
        } }),
    );
}

#[test]
fn item_collections_are_told_of_where_there_are_local_indexes() {
    let bench = Bench::with_tables();
    let put = |table: &str| {
        json!({
            "TableName": table, "Item": { "pk": { "S": "1" }, "sk": { "S": "1" } },
            "ReturnItemCollectionMetrics": "SIZE",
        })
    };
    bench.check(
        "PutItem",
        put("Both"),
        json!({ "ItemCollectionMetrics": {
            "ItemCollectionKey": { "pk": { "S": "1" } }, "SizeEstimateRangeGB": [0.0, 1.0],
        } }),
    );
    bench.check("PutItem", put("Hash"), json!({}));
}

#[test]
fn scopes_do_not_see_each_other() {
    let bench = Bench::with_tables();
    bench.check("PutItem", json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" } } }), json!({}));
    let get = json!({ "TableName": "Hash", "Key": { "pk": { "S": "1" } } });
    let missing = json!({ "error": "ResourceNotFoundException", "message": "Requested resource not found" });
    for (account, region) in [("123456789012", "eu-west-1"), ("210987654321", "us-east-1")] {
        assert_eq!(bench.ask_as(account, region, "GetItem", get.clone()), missing);
        assert_eq!(bench.ask_as(account, region, "ListTables", json!({})), json!({ "TableNames": [] }));
    }
    let arn = json!({
        "TableName": "arn:aws:dynamodb:us-east-1:210987654321:table/Hash", "Key": { "pk": { "S": "1" } },
    });
    assert_eq!(bench.ask("GetItem", arn)["error"], "AccessDeniedException");
}
