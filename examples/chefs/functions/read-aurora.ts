import { readAll } from './aurora';
import { answer } from './chef';

export async function handler() {
  return answer(200, await readAll());
}
