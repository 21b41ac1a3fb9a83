import type { APIGatewayProxyResult } from 'aws-lambda';

export interface Chef {
  firstName: string;
  lastName: string;
}

/** The chef in a request's body, or nobody. */
export function chefIn(body: string | null): Chef | undefined {
  let given: Partial<Chef> | null;
  try {
    given = JSON.parse(body ?? 'null');
  } catch {
    return undefined;
  }
  if (typeof given?.firstName !== 'string' || typeof given.lastName !== 'string') return undefined;
  return { firstName: given.firstName, lastName: given.lastName };
}

export function answer(statusCode: number, body: unknown, headers = {}): APIGatewayProxyResult {
  return { statusCode, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

export const nobody = answer(400, { message: 'firstName and lastName are needed' });
