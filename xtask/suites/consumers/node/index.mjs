// Notes every record with the AWS SDK for JavaScript.
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";

const client = new DynamoDBClient({});

export const handler = async (event) => {
  for (const record of event.Records) {
    const { id } = unmarshall(record.dynamodb.NewImage);
    await client.send(new PutItemCommand({ TableName: process.env.SEEN, Item: { id: { S: `node/${id}` } } }));
  }
};
