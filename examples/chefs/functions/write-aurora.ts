import type { APIGatewayProxyEvent, DynamoDBStreamEvent } from 'aws-lambda';
import { insert } from './aurora';
import { answer, chefIn, nobody, type Chef } from './chef';

/** Written for the old API; the stream calls it too, so that what is new is also where it used to be. */
export async function handler(event: APIGatewayProxyEvent | DynamoDBStreamEvent) {
  if ('Records' in event) {
    await insert(inserted(event));
    return;
  }
  const chef = chefIn(event.body);
  if (!chef) return nobody;
  const [id] = await insert([chef]);
  return answer(201, { id, ...chef });
}

function inserted(event: DynamoDBStreamEvent): Chef[] {
  return event.Records.filter((record) => record.eventName === 'INSERT').map((record) => ({
    firstName: record.dynamodb?.NewImage?.firstName?.S ?? '',
    lastName: record.dynamodb?.NewImage?.lastName?.S ?? '',
  }));
}
