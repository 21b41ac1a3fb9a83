import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { answer, chefIn, nobody } from './chef';

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export async function handler(event: APIGatewayProxyEvent) {
  const chef = chefIn(event.body);
  if (!chef) return nobody;
  const update = new UpdateCommand({
    TableName: process.env.TABLE,
    Key: { ChefId: `${chef.lastName}#${chef.firstName}` },
    UpdateExpression: 'SET firstName = :first, lastName = :last',
    ExpressionAttributeValues: { ':first': chef.firstName, ':last': chef.lastName },
    ReturnValues: 'ALL_NEW',
  });
  const { Attributes } = await client.send(update);
  return answer(201, Attributes, { 'x-greeting': process.env.GREETING });
}
