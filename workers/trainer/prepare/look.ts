/** @file What the page is told of a request that was made ready. */
import type { TaskHost } from '#src/tasks/types.ts';
import type { Preparation, PrepareProgress } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import { fitOf } from './fit.ts';
import { probe } from './probe.ts';
import { roundingOf } from './rounding.ts';
import type { Setup } from './types.ts';

/** @param withProbe time two steps, where the request is sound */
export async function lookAt(
  setup: Setup,
  withProbe: boolean,
  bench: Bench,
  host: TaskHost,
  tell: (progress: PrepareProgress) => void,
): Promise<Preparation> {
  const { planned, model, prepared, problems } = setup;
  const sound = problems.every(({ severity }) => severity !== 'error');
  if (withProbe && sound) await prepared.warm(host, (done, total) => tell({ what: 'encoding', done, total }));
  const rounded = sound ? await roundingOf(setup, bench, host, tell) : null;
  const secondsPerStep = withProbe && sound ? await probe(setup, bench) : null;
  const sum = (pick: 'stored' | 'effective'): number => planned.reduce((n, p) => n + p[pick], 0);
  return {
    backend: bench.runtime.backend,
    modelHash: model.hash,
    modelBytes: model.bytes,
    layers: setup.layers,
    planned,
    whole: setup.layout.whole.map(({ name }) => name),
    ...(setup.report && { adapter: setup.report }),
    parameters: { stored: sum('stored'), effective: sum('effective'), base: setup.weights },
    images: prepared.counts.train,
    heldout: prepared.counts.heldout,
    preview: prepared.preview,
    unsaveable: sound ? await setup.unsaveable() : [],
    fit: sound ? fitOf(setup, bench.runtime.offered) : null,
    ...(rounded && { rounded }),
    secondsPerStep,
    problems,
  };
}
