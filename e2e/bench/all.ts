/** @file `npm run bench -- all [rounds]`: every table of docs/performance.md but those of other libraries (`peers`) and of threads (`threads`). */
import { main as curves } from './curves.ts';
import { main as models } from './models.ts';
import { main as room } from './room.ts';

export async function main(rounds = 9): Promise<void> {
  await models(rounds);
  await curves(rounds);
  await room();
}
