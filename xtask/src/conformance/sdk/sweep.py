"""boto3's resource layer and the AWS CLI, doing what the other clients do. A line for each step: PASSED, or FAILED and why."""

import json
import subprocess
import sys
import traceback
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

dynamodb = boto3.resource("dynamodb")
client = dynamodb.meta.client
NAME = "SweepPython"


def create():
    table = dynamodb.create_table(
        TableName=NAME,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in [("pk", "S"), ("sk", "N"), ("owner", "S")]],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-owner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    table.reload()
    assert table.table_status == "ACTIVE" and table.item_count == 0


def types():
    item = {
        "pk": "types", "sk": Decimal("1"), "n": Decimal("-12.5"), "b": b"\x00\xff", "t": True, "z": None,
        "ss": {"a", "b"}, "ns": {Decimal(1), Decimal(2)}, "l": [Decimal(1), "x", {"m": []}], "m": {"deep": {"er": "y"}}, "e": "",
    }
    table = dynamodb.Table(NAME)
    table.put_item(Item=item)
    got = table.get_item(Key={"pk": "types", "sk": 1}, ConsistentRead=True)["Item"]
    got["b"] = bytes(got["b"].value)
    assert got == item, got


def updates():
    table = dynamodb.Table(NAME)
    key = {"pk": "update", "sk": 1}
    done = table.update_item(
        Key=key,
        UpdateExpression="SET #c = if_not_exists(#c, :zero) + :one, #l = list_append(if_not_exists(#l, :none), :x) ADD tags :t",
        ExpressionAttributeNames={"#c": "count", "#l": "log"},
        ExpressionAttributeValues={":zero": 0, ":one": 1, ":none": [], ":x": ["first"], ":t": {"new"}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert done == {**key, "count": 1, "log": ["first"], "tags": {"new"}}, done
    try:
        table.update_item(
            Key=key,
            UpdateExpression="SET #c = :v",
            ConditionExpression=Attr("count").gt(5),
            ExpressionAttributeNames={"#c": "count"},
            ExpressionAttributeValues={":v": 0},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        raise AssertionError("the condition holds")
    except client.exceptions.ConditionalCheckFailedException as error:
        assert error.response["Item"]["count"] == {"N": "1"} or error.response["Item"]["count"] == 1, error.response


def batches():
    table = dynamodb.Table(NAME)
    with table.batch_writer(overwrite_by_pkeys=["pk", "sk"]) as batch:
        for number in range(120):
            batch.put_item(Item={"pk": f"page{number % 2}", "sk": number, "owner": f"o{number % 3}", "text": "x" * 2000})
    keys = [{"pk": "page0", "sk": number} for number in range(0, 60, 2)]
    got = dynamodb.batch_get_item(RequestItems={NAME: {"Keys": keys, "ProjectionExpression": "pk, sk"}})
    assert len(got["Responses"][NAME]) == 30 and not got["UnprocessedKeys"]


def searches():
    table = dynamodb.Table(NAME)
    seen, start = [], {}
    while True:
        page = table.query(KeyConditionExpression=Key("pk").eq("page1") & Key("sk").between(11, 91), Limit=7, **start)
        seen += [int(item["sk"]) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert seen == list(range(11, 92, 2)), seen
    pages = client.get_paginator("scan").paginate(
        TableName=NAME, FilterExpression=Attr("owner").eq("o1"), PaginationConfig={"PageSize": 13, "MaxItems": 1000}
    )
    assert sum(page["Count"] for page in pages) == 40
    pages = client.get_paginator("query").paginate(
        TableName=NAME, IndexName="by-owner", KeyConditionExpression=Key("owner").eq("o2"), Select="COUNT"
    )
    assert sum(page["Count"] for page in pages) == 40


def transactions():
    put = {"Put": {"TableName": NAME, "Item": {"pk": "tx", "sk": 1}}}
    client.transact_write_items(TransactItems=[put])
    fresh = {"Put": {**put["Put"], "ConditionExpression": "attribute_not_exists(pk)"}}
    other = {"Put": {"TableName": NAME, "Item": {"pk": "tx", "sk": 2}}}
    try:
        client.transact_write_items(TransactItems=[other, fresh])
        raise AssertionError("it is done")
    except client.exceptions.TransactionCanceledException as error:
        codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
        assert codes == ["None", "ConditionalCheckFailed"], codes
    got = client.transact_get_items(TransactItems=[{"Get": {"TableName": NAME, "Key": {"pk": "tx", "sk": n}}} for n in (1, 2)])
    assert "Item" in got["Responses"][0] and "Item" not in got["Responses"][1], got


def statements():
    client.execute_statement(Statement=f'INSERT INTO "{NAME}" VALUE {{\'pk\': ?, \'sk\': ?}}', Parameters=["ql", 1])
    got = client.execute_statement(Statement=f'SELECT sk FROM "{NAME}" WHERE pk = ?', Parameters=["ql"])
    assert got["Items"] == [{"sk": 1}], got


def errors():
    for call, code in [
        (lambda: dynamodb.Table("Nobodys").get_item(Key={"pk": "x"}), "ResourceNotFoundException"),
        (lambda: dynamodb.Table(NAME).get_item(Key={"pk": "x"}), "ValidationException"),
        (lambda: client.create_table(TableName=NAME, **schema()), "ResourceInUseException"),
    ]:
        try:
            call()
            raise AssertionError(code)
        except ClientError as error:
            assert error.response["Error"]["Code"] == code, error
            assert error.response["ResponseMetadata"]["RetryAttempts"] == 0


def schema():
    return {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def aws(*words):
    done = subprocess.run(["aws", "dynamodb", *words, "--output", "json"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def cli():
    whole = {"TableName": NAME, "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "page0"}}}
    got = aws("query", "--cli-input-json", json.dumps(whole), "--page-size", "9")
    assert got["Count"] == 60, got["Count"]
    got = aws("scan", "--table-name", NAME, "--max-items", "10", "--page-size", "5")
    more = aws("scan", "--table-name", NAME, "--starting-token", got["NextToken"])
    assert len(got["Items"]) == 10 and len(more["Items"]) == more["Count"] > 100
    put = {"TableName": NAME, "Item": {"pk": {"S": "cli"}, "sk": {"N": "1"}, "b": {"BOOL": True}}, "ReturnConsumedCapacity": "INDEXES"}
    told = aws("put-item", "--cli-input-json", json.dumps(put))
    assert told["ConsumedCapacity"]["Table"]["CapacityUnits"] == 1.0, told
    assert aws("get-item", "--table-name", NAME, "--key", '{"pk":{"S":"cli"},"sk":{"N":"1"}}')["Item"]["b"] == {"BOOL": True}
    assert NAME in aws("list-tables", "--page-size", "1")["TableNames"]


def delete():
    table = dynamodb.Table(NAME)
    table.delete()
    table.wait_until_not_exists()


failed = False
for step in [create, types, updates, batches, searches, transactions, statements, errors, cli, delete]:
    try:
        step()
        print("PASSED", f"python {step.__name__}")
    except Exception as error:
        failed = True
        print("FAILED", f"python {step.__name__} - {error!r}".splitlines()[0])
        traceback.print_exc()
sys.exit(failed)
