import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

const client = new DynamoDBClient({});

export async function handler(event: { pathParameters: { id: string } }) {
  const { id } = event.pathParameters;
  await client.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item: { id: { S: id } } }));
  return { statusCode: 201, body: id };
}
