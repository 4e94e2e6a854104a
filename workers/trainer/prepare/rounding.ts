/** @file What it saves and costs to hold a model in fewer bits: bytes, how far each weight is off, and the model's outputs. */
import { LastKept } from '#src/platform/kept.ts';
import { roundingError } from '#src/graph/rounded.ts';
import type { Graph } from '#src/graph/types.ts';
import { constantBytes } from '#src/runtime/weights.ts';
import type { TaskHost } from '#src/tasks/types.ts';
import type { PrepareProgress, RoundedBase } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import { jobFeeds } from '../run/feeds.ts';
import { BITS, inBits } from './held.ts';
import { firstOf } from './probe.ts';
import type { Setup } from './types.ts';

/** Bytes of float weights up to which the model is run with them, too: above, that would take the memory that is to be saved. */
const MOST_FLOAT = 256 * 2 ** 20;

type Tell = (progress: PrepareProgress) => void;

/** Of the last model and its first batch: whoever changes something else need not wait for it again. */
const outputs = new LastKept<number | null>();

/** null: the job holds the weights as they are. Throws ModelError where a weight cannot be rounded, what reading it throws, and what `tell` throws. */
export async function roundingOf(
  setup: Setup,
  bench: Bench,
  host: TaskHost,
  tell: Tell,
): Promise<RoundedBase | null> {
  const { job, trained, layout, external } = setup;
  const bits = BITS[job.train.quantise];
  if (bits === null) return null;
  const { graph, weights, left } = inBits(trained.graph, bits, layout);
  const found: RoundedBase['weights'][number][] = [];
  for (const [i, { name, rounding, before, after }] of weights.entries()) {
    tell({ what: 'rounding', done: i, total: weights.length });
    const error = await roundingError(rounding, (of, weight) => constantBytes(of, weight, external));
    found.push({ name, block: rounding.size, before, after, error });
  }
  const sum = (pick: 'before' | 'after'): number => found.reduce((n, weight) => n + weight[pick], 0);
  const large = sum('before') > MOST_FLOAT || weights.length === 0;
  return {
    bits,
    before: sum('before'),
    after: sum('after'),
    weights: found,
    left,
    outputs: large ? null : await outputsOff(setup, graph, bench, host, tell),
  };
}

/** ‖ŷ − y‖ ÷ ‖y‖ over the outputs for the first batch; null: there is nothing to compare. */
async function outputsOff(
  setup: Setup,
  small: Graph,
  bench: Bench,
  host: TaskHost,
  tell: Tell,
): Promise<number | null> {
  const { job, trained, prepared, external, model } = setup;
  const { graph } = trained;
  const { data, inputs, options, train } = job;
  const key = JSON.stringify([
    ...[model.hash, prepared.dataHash, job.task, data, inputs, options],
    ...[train.quantise, train.batch, train.seed, setup.layout.whole],
  ]);
  return outputs.get(key, async () => {
    await prepared.warm(host, (done, total) => tell({ what: 'encoding', done, total }));
    const feeds = await jobFeeds(setup)(firstOf(setup), 0, 0);
    const floats = graph.outputs.filter(({ type }) => type === 'float32').map(({ name }) => name);
    const of = async (which: Graph, name: string): Promise<Float32Array[]> => {
      const made = await bench.frozen('rounding', `${key} ${name}`, () => which, external)(feeds);
      return floats.map((output) => (made[output] as Float32Array).slice());
    };
    try {
      const exact = await of(graph, 'float');
      const near = await of(small, 'small');
      let [away, size] = [0, 0];
      exact.forEach((values, k) =>
        values.forEach((y, i) => {
          away += (near[k]![i]! - y) ** 2;
          size += y * y;
        }),
      );
      return Number.isFinite(away) && size > 0 ? Math.sqrt(away / size) : null;
    } finally {
      await bench.drop('rounding');
    }
  });
}
