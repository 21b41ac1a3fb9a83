import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { answer } from './chef';

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export async function handler() {
  const chefs = [];
  for await (const page of paginateScan({ client }, { TableName: process.env.TABLE })) {
    chefs.push(...(page.Items ?? []));
  }
  return answer(200, chefs, { 'x-greeting': process.env.GREETING });
}
