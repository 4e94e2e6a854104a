/** @file Whether a program fits a device, in numbers and words, and what would make it fit. */
import type { MemoryEstimate } from './memory.ts';

/** What the device gives, as far as anyone can tell. */
export interface OfferedMemory {
  /** Bytes for weights, state and results together; null: the browser does not say. */
  readonly bytes: number | null;
  /** Largest single tensor, bytes; null: no limit known. */
  readonly largest: number | null;
  /** Where the number comes from, as a noun: "the address space of WebAssembly". */
  readonly source: string;
}

export interface MemoryVerdict {
  readonly kind: 'fits' | 'tight' | 'will-not-fit' | 'unknown';
  /** Bytes, with what allocators add. */
  readonly needed: number;
  readonly offered: number | null;
  readonly words: string;
}

/**
 * What allocators add to the estimate: measured as wasm heap ÷ estimate of the built-in UNet's step at batch 16, 1.2 for the whole step and up to 1.5 for small
 * segments (`npm run bench -- recompute`).
 */
export const OVERHEAD = 1.3;

/** Above this share of what is offered it is tight. */
const TIGHT = 0.7;

const GB = 1e9;
export const bytesInWords = (bytes: number): string =>
  bytes >= GB ? `${(bytes / GB).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;

/** @param largest bytes of the largest tensor, and its name */
export function memoryVerdict(
  estimate: MemoryEstimate,
  offered: OfferedMemory,
  largest: { readonly name: string; readonly bytes: number } | null = null,
): MemoryVerdict {
  const needed = Math.round(estimate.total * OVERHEAD);
  const about = `about ${bytesInWords(needed)}`;
  const judged = (kind: MemoryVerdict['kind'], words: string): MemoryVerdict => ({
    kind,
    needed,
    offered: offered.bytes,
    words,
  });
  if (largest && offered.largest !== null && largest.bytes > offered.largest)
    return judged(
      'will-not-fit',
      `Will not fit: ${largest.name} alone takes ${bytesInWords(largest.bytes)}, and this device takes tensors of at most ${bytesInWords(offered.largest)}.`,
    );
  if (offered.bytes === null)
    return judged('unknown', `Needs ${about}. The browser does not say how much memory this device has.`);
  const given = `${bytesInWords(offered.bytes)} (${offered.source})`;
  if (needed > offered.bytes)
    return judged('will-not-fit', `Will not fit: needs ${about}; there are ${given}.`);
  if (needed > TIGHT * offered.bytes) return judged('tight', `Tight: needs ${about} of ${given}.`);
  return judged('fits', `Fits: needs ${about} of ${given}.`);
}

/** A change of the job that lowers its memory. */
export interface Relief {
  readonly words: string;
  readonly change: {
    readonly recompute?: true;
    readonly batch?: number;
    readonly accumulate?: number;
    readonly quantise?: 'int8' | 'int4';
    readonly options?: Readonly<Record<string, unknown>>;
  };
  /** Bytes after it, with what allocators add. */
  readonly needed: number;
  readonly kind: MemoryVerdict['kind'];
}

export interface ReliefOptions {
  readonly batch: number;
  readonly accumulate: number;
  readonly recompute: boolean;
  /** Key of the task's option that holds a sequence length, and its value; null: it has none. */
  readonly length: { readonly key: string; readonly value: number } | null;
  /** The estimate with recomputation. */
  readonly recomputed: () => MemoryEstimate;
  /** Bytes that float weights held in fewer bits save of what is needed now; none: they are already, or there are none. */
  readonly rounded: readonly { readonly quantise: 'int8' | 'int4'; readonly saved: number }[];
}

/** Sequences are not halved below this. */
const SHORTEST = 16;

/**
 * The memory-tight preset: changes that add up, mildest first, until it fits. Recomputation is estimated from the graph; results shrink
 * in proportion with batch and length, which is near enough (weights and state stay). Rounding weights changes what is learned on, shorter sequences what is learned:
 * they come last.
 */
export function reliefs(estimate: MemoryEstimate, offered: OfferedMemory, options: ReliefOptions): Relief[] {
  const found: Relief[] = [];
  let now = estimate;
  let change: Relief['change'] = {};
  const add = (words: string, more: Relief['change'], next: MemoryEstimate): boolean => {
    change = { ...change, ...more };
    now = next;
    const { kind, needed } = memoryVerdict(next, offered);
    found.push({ words, change, needed, kind });
    return kind === 'fits';
  };
  const scaled = (by: number): MemoryEstimate => {
    const activations = now.activations * by;
    return { ...now, activations, total: now.total - now.activations + activations };
  };
  if (!options.recompute) {
    const next = options.recomputed();
    if (
      next.total < 0.95 * now.total &&
      add('Compute parts of the model twice instead of keeping their results', { recompute: true }, next)
    )
      return found;
  }
  // A step over the same examples is the same update, however they are cut.
  const examples = options.batch * options.accumulate;
  for (let { batch } = options; batch > 1;) {
    let smaller = Math.ceil(batch / 2);
    while (examples % smaller !== 0) smaller--;
    const accumulate = examples / smaller;
    const words = `Batches of ${smaller}, ${accumulate} of them per step: an update of ${examples} as before`;
    if (add(words, { batch: smaller, accumulate }, scaled(smaller / batch))) return found;
    batch = smaller;
  }
  const { weights } = now;
  for (const { quantise, saved } of options.rounded) {
    if (saved < 0.05 * now.total) continue;
    const held = weights - saved;
    const words = `Weights in ${quantise === 'int8' ? 8 : 4} bits while it is trained on`;
    if (add(words, { quantise }, { ...now, weights: held, total: now.total - now.weights + held }))
      return found;
  }
  for (let value = options.length?.value ?? 0; value >= 2 * SHORTEST;) {
    value = Math.floor(value / 2);
    const words = `Sequences of ${value} tokens`;
    if (add(words, { options: { [options.length!.key]: value } }, scaled(1 / 2))) return found;
  }
  return found;
}
