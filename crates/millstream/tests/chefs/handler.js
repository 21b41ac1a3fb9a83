const E = process.env;
const auth = (service) => `AWS4-HMAC-SHA256 Credential=${E.AWS_ACCESS_KEY_ID}/20260101/${E.AWS_REGION}/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;
async function ask(service, path, body, headers) {
  const answer = await fetch(E.AWS_ENDPOINT_URL + path, {
    method: "POST",
    headers: { authorization: auth(service), "x-amz-date": "20260101T000000Z", ...headers },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(told));
  return told;
}
const sql = (sql, more) => ask("rds-data", more?.parameterSets ? "/BatchExecute" : "/Execute",
  { resourceArn: E.CLUSTER, secretArn: E.SECRET, sql, ...more }, { "content-type": "application/json" });
const table = (operation, body) => ask("dynamodb", "/", { TableName: E.TABLE, ...body },
  { "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810." + operation });
const insert = (chefs) => sql("INSERT INTO chefdb.cheftable (cheffirst, cheflast) VALUES (:first, :last)", {
  parameterSets: chefs.map((chef) => [
    { name: "first", value: { stringValue: chef.firstName } },
    { name: "last", value: { stringValue: chef.lastName } },
  ]),
});
const what = {
  init: async () => {
    await sql("CREATE DATABASE IF NOT EXISTS chefdb");
    return sql("CREATE TABLE IF NOT EXISTS chefdb.cheftable (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, cheffirst VARCHAR(255), cheflast VARCHAR(255))");
  },
  read: async () => (await sql("SELECT * FROM cheftable", { database: "chefdb" })).records,
  write: async (event) => event.Records
    ? insert(event.Records.filter((r) => r.eventName === "INSERT").map(({ dynamodb: { NewImage: i } }) => ({ firstName: i.firstName.S, lastName: i.lastName.S })))
    : insert([JSON.parse(event.body)]),
  scan: async () => (await table("Scan")).Items,
  put: async (event) => {
    const { firstName, lastName } = JSON.parse(event.body);
    const item = { ChefId: { S: lastName + "#" + firstName }, firstName: { S: firstName }, lastName: { S: lastName } };
    await table("PutItem", { Item: item });
    return E.GREETING;
  },
};
exports.handler = async (event) => {
  const told = await what[E.WHAT](event);
  return { statusCode: 200, body: JSON.stringify(told) };
};
