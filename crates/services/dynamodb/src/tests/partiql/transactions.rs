use super::{filled, put};
use crate::tests::Bench;
use serde_json::{Value as Json, json};

fn statements(texts: &[&str]) -> Json {
    texts.iter().map(|text| json!({ "Statement": text })).collect()
}

fn batch(bench: &Bench, texts: &[&str]) -> Json {
    bench.ask("BatchExecuteStatement", json!({ "Statements": statements(texts) }))
}

fn transact(bench: &Bench, texts: &[&str]) -> Json {
    bench.ask("ExecuteTransaction", json!({ "TransactStatements": statements(texts) }))
}

#[test]
fn each_statement_of_a_batch_has_its_own_answer() {
    let bench = filled();
    let answer = batch(
        &bench,
        &[
            "SELECT a FROM Both WHERE pk = 'p' AND sk = '1'",
            "SELECT a FROM Both WHERE pk = 'p' AND sk = '9'",
            "SELECT a FROM Both WHERE pk = 'p'",
            "SELECT * FROM Nowhere WHERE pk = 'p'",
            "SELECT a FROM Both WHERE pk = 'p' AND sk = '1' AND a = 'z'",
            "nonsense",
        ],
    );
    assert_eq!(
        answer["Responses"],
        json!([
            { "TableName": "Both", "Item": { "a": { "S": "x" } } },
            { "TableName": "Both" },
            { "TableName": "Both", "Error": {
                "Code": "ValidationError",
                "Message": "Select statements within BatchExecuteStatement must specify the primary key in the where clause.",
            } },
            { "TableName": "Nowhere", "Error": { "Code": "ResourceNotFound", "Message": "Requested resource not found" } },
            { "TableName": "Both" },
            { "Error": {
                "Code": "ValidationError",
                "Message": "Statement wasn't well formed, can't be processed: Expected data manipulation",
            } },
        ])
    );
}

#[test]
fn a_batch_writes_what_it_can() {
    let bench = Bench::with_tables();
    put(&bench, "Hash", json!({ "pk": { "S": "1" }, "n": { "N": "1" } }));
    let mut input = json!({ "ReturnConsumedCapacity": "TOTAL", "Statements": statements(&[
        "INSERT INTO Hash VALUE {'pk': '2'}",
        "INSERT INTO Hash VALUE {'pk': '1'}",
        "UPDATE Hash SET n = 5 WHERE pk = '1' AND n = 7",
        "DELETE FROM Hash WHERE pk = '1' RETURNING ALL OLD *",
    ]) });
    input["Statements"][2]["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    bench.check(
        "BatchExecuteStatement",
        input,
        json!({
            "Responses": [
                { "TableName": "Hash" },
                { "TableName": "Hash", "Error": {
                    "Code": "DuplicateItem", "Message": "Duplicate primary key exists in table",
                } },
                { "TableName": "Hash", "Error": {
                    "Code": "ConditionalCheckFailed",
                    "Message": "The conditional request failed",
                    "Item": { "pk": { "S": "1" }, "n": { "N": "1" } },
                } },
                { "TableName": "Hash", "Item": { "pk": { "S": "1" }, "n": { "N": "1" } } },
            ],
            "ConsumedCapacity": [{ "TableName": "Hash", "CapacityUnits": 2.0 }],
        }),
    );
    let mixed = batch(&bench, &["SELECT * FROM Hash WHERE pk = '1'", "DELETE FROM Hash WHERE pk = '1'"]);
    assert_eq!(mixed["error"], "ValidationException");
}

#[test]
fn transactions_read_one_moment() {
    let bench = filled();
    let one = "SELECT a FROM Both WHERE pk = 'p' AND sk = '1'";
    let answer = transact(&bench, &[one, "SELECT * FROM Both WHERE pk = 'p' AND sk = '9'"]);
    assert_eq!(answer, json!({ "Responses": [{ "Item": { "a": { "S": "x" } } }, {}] }));
    let twice = transact(&bench, &[one, one]);
    assert_eq!(twice["message"], "Transaction request cannot include multiple operations on one item");
    let mixed = transact(&bench, &[one, "DELETE FROM Both WHERE pk = 'p' AND sk = '2'"]);
    assert_eq!(mixed["error"], "ValidationException");
}

#[test]
fn transactions_write_all_or_nothing() {
    let bench = Bench::with_tables();
    put(&bench, "Hash", json!({ "pk": { "S": "1" }, "n": { "N": "1" } }));
    let mut input = json!({ "TransactStatements": statements(&[
        "INSERT INTO Hash VALUE {'pk': '1'}",
        "INSERT INTO Hash VALUE {'pk': '2'}",
        "EXISTS(SELECT * FROM Hash WHERE pk = '3' AND n IS MISSING)",
    ]) });
    input["TransactStatements"][0]["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    bench.check(
        "ExecuteTransaction",
        input,
        json!({
            "error": "TransactionCanceledException",
            "message": "Transaction cancelled, please refer cancellation reasons for specific reasons [DuplicateItem, None, ConditionalCheckFailed]",
            "CancellationReasons": [
                {
                    "Code": "DuplicateItem",
                    "Message": "Duplicate primary key exists in table",
                    "Item": { "pk": { "S": "1" }, "n": { "N": "1" } },
                },
                { "Code": "None" },
                { "Code": "ConditionalCheckFailed", "Message": "The conditional request failed" },
            ],
        }),
    );
    let done = transact(
        &bench,
        &[
            "UPDATE Hash SET n = n + 1 WHERE pk = '1'",
            "INSERT INTO Hash VALUE {'pk': '2'}",
            "DELETE FROM Hash WHERE pk = '4'",
        ],
    );
    assert_eq!(done, json!({ "Responses": [] }));
    let exists = transact(
        &bench,
        &["EXISTS(SELECT * FROM Hash WHERE pk = '2' AND n IS MISSING)", "DELETE FROM Hash WHERE pk = '1'"],
    );
    assert_eq!(exists, json!({ "Responses": [] }));
}

#[test]
fn a_token_makes_a_transaction_happen_once() {
    let bench = Bench::with_tables();
    put(&bench, "Hash", json!({ "pk": { "S": "1" }, "n": { "N": "1" } }));
    let mut input = json!({
        "TransactStatements": statements(&["UPDATE Hash SET n = n + 1 WHERE pk = '1'"]),
        "ClientRequestToken": "once",
    });
    for _ in 0..2 {
        bench.check("ExecuteTransaction", input.clone(), json!({ "Responses": [] }));
    }
    let got = bench.ask("GetItem", json!({ "TableName": "Hash", "Key": { "pk": { "S": "1" } } }));
    assert_eq!(got["Item"]["n"], json!({ "N": "2" }));
    input["TransactStatements"] = statements(&["DELETE FROM Hash WHERE pk = '1'"]);
    let refused = bench.ask("ExecuteTransaction", input);
    assert_eq!(refused["error"], "IdempotentParameterMismatchException");
}
