// The AWS SDK for JavaScript's document client, doing what the other clients do.

import assert from "node:assert/strict";
import { DynamoDBClient, CreateTableCommand, DeleteTableCommand, waitUntilTableExists, waitUntilTableNotExists } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient, PutCommand, GetCommand, UpdateCommand, BatchWriteCommand, BatchGetCommand, TransactWriteCommand,
  TransactGetCommand, ExecuteStatementCommand, paginateQuery, paginateScan, NumberValue,
} from "@aws-sdk/lib-dynamodb";

const raw = new DynamoDBClient({});
const client = DynamoDBDocumentClient.from(raw, { marshallOptions: { removeUndefinedValues: true } });
const TableName = "SweepJavaScript";
const send = (command) => client.send(command);

const steps = {
  async create() {
    await send(new CreateTableCommand({
      TableName,
      AttributeDefinitions: [["pk", "S"], ["sk", "N"], ["owner", "S"]].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
      GlobalSecondaryIndexes: [{
        IndexName: "by-owner", KeySchema: [{ AttributeName: "owner", KeyType: "HASH" }], Projection: { ProjectionType: "ALL" },
      }],
      BillingMode: "PAY_PER_REQUEST",
    }));
    await waitUntilTableExists({ client: raw, maxWaitTime: 30 }, { TableName });
  },

  async types() {
    const Item = {
      pk: "types", sk: 1, n: -12.5, big: NumberValue.from("12345678901234567890"), b: Uint8Array.of(0, 255), t: true, z: null,
      ss: new Set(["a", "b"]), ns: new Set([1, 2]), l: [1, "x", { m: [] }], m: { deep: { er: "y" } }, e: "",
    };
    await send(new PutCommand({ TableName, Item }));
    const exact = DynamoDBDocumentClient.from(new DynamoDBClient({}), { unmarshallOptions: { wrapNumbers: true } });
    const big = (await exact.send(new GetCommand({ TableName, Key: { pk: "types", sk: 1 }, ProjectionExpression: "big" }))).Item.big;
    assert.equal(big.value, "12345678901234567890");
    const got = (await send(new GetCommand({
      TableName, Key: { pk: "types", sk: 1 }, ConsistentRead: true, ProjectionExpression: "pk, sk, n, b, t, z, ss, ns, l, m, e",
    }))).Item;
    delete Item.big;
    assert.deepEqual({ ...got, b: Uint8Array.from(got.b) }, Item);
  },

  async updates() {
    const Key = { pk: "update", sk: 1 };
    const done = await send(new UpdateCommand({
      TableName, Key, ReturnValues: "ALL_NEW",
      UpdateExpression: "SET #c = if_not_exists(#c, :zero) + :one, #l = list_append(if_not_exists(#l, :none), :x) ADD tags :t",
      ExpressionAttributeNames: { "#c": "count", "#l": "log" },
      ExpressionAttributeValues: { ":zero": 0, ":one": 1, ":none": [], ":x": ["first"], ":t": new Set(["new"]) },
    }));
    assert.deepEqual(done.Attributes, { ...Key, count: 1, log: ["first"], tags: new Set(["new"]) });
    await assert.rejects(
      send(new UpdateCommand({
        TableName, Key, UpdateExpression: "SET #c = :v", ConditionExpression: "#c > :v",
        ExpressionAttributeNames: { "#c": "count" }, ExpressionAttributeValues: { ":v": 5 },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      })),
      (error) => error.name === "ConditionalCheckFailedException" && (error.Item.count.N ?? error.Item.count) == 1,
    );
  },

  async batches() {
    const puts = Array.from({ length: 120 }, (_, sk) => (
      { PutRequest: { Item: { pk: `page${sk % 2}`, sk, owner: `o${sk % 3}`, text: "x".repeat(2000) } } }
    ));
    for (let at = 0; at < puts.length; at += 25) {
      const done = await send(new BatchWriteCommand({ RequestItems: { [TableName]: puts.slice(at, at + 25) } }));
      assert.deepEqual(done.UnprocessedItems, {});
    }
    const Keys = Array.from({ length: 30 }, (_, number) => ({ pk: "page0", sk: number * 2 }));
    const got = await send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys, ProjectionExpression: "pk, sk" } } }));
    assert.equal(got.Responses[TableName].length, 30);
  },

  async searches() {
    const seen = [];
    for await (const page of paginateQuery({ client, pageSize: 7 }, {
      TableName, KeyConditionExpression: "pk = :p AND sk BETWEEN :a AND :b", ExpressionAttributeValues: { ":p": "page1", ":a": 11, ":b": 91 },
    })) seen.push(...page.Items.map((item) => item.sk));
    assert.deepEqual(seen, Array.from({ length: 41 }, (_, at) => 11 + 2 * at));
    let count = 0;
    for await (const page of paginateScan({ client, pageSize: 13 }, {
      TableName, FilterExpression: "#o = :o", ExpressionAttributeNames: { "#o": "owner" }, ExpressionAttributeValues: { ":o": "o1" },
    })) count += page.Count;
    assert.equal(count, 40);
  },

  async transactions() {
    const fresh = { Put: { TableName, Item: { pk: "tx", sk: 1 }, ConditionExpression: "attribute_not_exists(pk)" } };
    await send(new TransactWriteCommand({ TransactItems: [fresh] }));
    await assert.rejects(
      send(new TransactWriteCommand({ TransactItems: [{ Put: { TableName, Item: { pk: "tx", sk: 2 } } }, fresh] })),
      (error) => {
        assert.deepEqual(error.CancellationReasons.map((reason) => reason.Code), ["None", "ConditionalCheckFailed"]);
        return error.name === "TransactionCanceledException";
      },
    );
    const gets = [1, 2].map((sk) => ({ Get: { TableName, Key: { pk: "tx", sk } } }));
    const got = await send(new TransactGetCommand({ TransactItems: gets }));
    assert.deepEqual(got.Responses.map((one) => one.Item !== undefined), [true, false]);
  },

  async statements() {
    await send(new ExecuteStatementCommand({ Statement: `INSERT INTO "${TableName}" VALUE {'pk': ?, 'sk': ?}`, Parameters: ["ql", 1] }));
    const got = await send(new ExecuteStatementCommand({ Statement: `SELECT sk FROM "${TableName}" WHERE pk = ?`, Parameters: ["ql"] }));
    assert.deepEqual(got.Items, [{ sk: 1 }]);
  },

  async errors() {
    await assert.rejects(send(new GetCommand({ TableName: "Nobodys", Key: { pk: "x" } })), { name: "ResourceNotFoundException" });
    await assert.rejects(send(new GetCommand({ TableName, Key: { pk: "x" } })), { name: "ValidationException" });
  },

  async delete() {
    await send(new DeleteTableCommand({ TableName }));
    await waitUntilTableNotExists({ client: raw, maxWaitTime: 30 }, { TableName });
  },
};

let failed = false;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`PASSED javascript ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAILED javascript ${name} - ${String(error).split("\n")[0]}`);
    console.error(error);
  }
}
process.exit(failed ? 1 : 0);
