// The one door to MySQL: statements over HTTP, with the secret's user.
import { BatchExecuteStatementCommand, ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import type { Chef } from './chef';

const client = new RDSDataClient({});
const place = {
  resourceArn: process.env.CLUSTER_ARN,
  secretArn: process.env.SECRET_ARN,
  database: process.env.DATABASE,
};

export async function createTable(): Promise<void> {
  const sql = `CREATE TABLE IF NOT EXISTS chef (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    first_name VARCHAR(255),
    last_name VARCHAR(255)
  )`;
  await client.send(new ExecuteStatementCommand({ ...place, sql }));
}

export async function readAll(): Promise<unknown> {
  const sql = 'SELECT id, first_name AS firstName, last_name AS lastName FROM chef ORDER BY id';
  const answer = await client.send(new ExecuteStatementCommand({ ...place, sql, formatRecordsAs: 'JSON' }));
  return JSON.parse(answer.formattedRecords ?? '[]');
}

/** Inserts all of them or none, and gives the ids they got. */
export async function insert(chefs: Chef[]): Promise<number[]> {
  if (chefs.length === 0) return [];
  const sql = 'INSERT INTO chef (first_name, last_name) VALUES (:first, :last)';
  const parameterSets = chefs.map((chef) => [
    { name: 'first', value: { stringValue: chef.firstName } },
    { name: 'last', value: { stringValue: chef.lastName } },
  ]);
  const answer = await client.send(new BatchExecuteStatementCommand({ ...place, sql, parameterSets }));
  return (answer.updateResults ?? []).map((result) => result.generatedFields?.[0]?.longValue ?? 0);
}
