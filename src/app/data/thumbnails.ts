/** @file Small pictures of files, a few at a time: decoding and scaling are the browser's, off the page's thread. */

import { within } from '#src/platform/within.ts';

/** Pixels of the longer side at most, about: a tile on a dense screen. */
const SIDE = 256;
/** Decoded at once: each may take tens of megabytes while it is scaled. */
const AT_ONCE = 2;
/** One that takes longer than so many milliseconds keeps the others waiting no more: a browser may never answer. */
const PATIENCE = 5000;

const waiting: (() => void)[] = [];
let busy = 0;

async function turn(): Promise<void> {
  if (busy >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  busy++;
}
function done(): void {
  busy--;
  waiting.shift()?.();
}

/** null: it was given up meanwhile, or the browser cannot decode it. Whoever gets it closes it. */
export async function thumbnail(file: Blob, signal: AbortSignal): Promise<ImageBitmap | null> {
  await turn();
  const picture = signal.aborted ? Promise.resolve(null) : decoded(file);
  void within(PATIENCE, picture, () => null).finally(done);
  return picture;
}

async function decoded(file: Blob): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(file, { resizeWidth: SIDE, resizeQuality: 'medium' });
  } catch {
    return null;
  }
}
