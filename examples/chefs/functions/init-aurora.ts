import { createTable } from './aurora';
import { answer } from './chef';

export async function handler() {
  await createTable();
  return answer(200, { message: 'the table is there' });
}
