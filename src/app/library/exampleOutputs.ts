/** @file What built-in examples come to, as `npm run cards` found it by running them: shown before anything is loaded. */
import * as v from 'valibot';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Example, TaskInfo } from '#src/tasks/info.ts';
import { taskOf } from '../words/taskWords.ts';

const texts = v.optional(v.array(v.string()), []);
const schema = v.object({ names: v.array(v.string()), before: texts, after: texts });

/** Prompts or inputs, and what the model says of them at first (nothing of classes that it does not know yet) and after training; pictures are in `picture`. */
export type ExampleOutputs = v.InferOutput<typeof schema>;

/** A strip of 32-pixel pictures, a column for each: inputs alone, or untouched above tuned. */
export const pictureOf = ({ id }: Pick<Example, 'id'>): string => `examples/${id}.png`;

/** What is to be seen in a strip, from above to below. */
export const stripWords = ({ id, shows }: Pick<TaskInfo, 'id' | 'shows'>): string => {
  if (shows !== 'pictures') return 'Pictures that it names.';
  return id === 'pairs'
    ? 'Above what it is given, then what it makes of it untouched, below after training.'
    : 'Above what it draws untouched, below after training.';
};

/** The built-in example whose model and data a job has, and whether all its settings are the example's, too; null: none. */
export function exampleOfJob(job: Job): { readonly example: Example; readonly same: boolean } | null {
  for (const example of taskOf(job).examples) {
    const own = jobFromTable(example.job);
    if (own.model === job.model && own.data.train === job.data.train)
      return { example, same: JSON.stringify(own) === JSON.stringify(job) };
  }
  return null;
}

/** Pixels of a tile's side in strips. */
const TILE = 32;

/** What the untouched model drew in a column of an example's strip, as a PNG; null: it cannot be had. */
export async function tileOf(example: Pick<Example, 'id'>, column: number): Promise<Blob | null> {
  try {
    const response = await fetch(new URL(pictureOf(example), document.baseURI));
    const strip = await createImageBitmap(await response.blob(), column * TILE, 0, TILE, TILE);
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = TILE;
    canvas.getContext('2d')?.drawImage(strip, 0, 0);
    return await new Promise((resolve) => canvas.toBlob(resolve));
  } catch {
    return null;
  }
}

/** null: it cannot be had at the moment; the card is shown without. */
export async function outputsOf({ id }: Pick<Example, 'id'>): Promise<ExampleOutputs | null> {
  try {
    const response = await fetch(new URL(`examples/${id}.json`, document.baseURI));
    const parsed = v.safeParse(schema, response.ok ? await response.json() : null);
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
