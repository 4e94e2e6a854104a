/** @file Recomputation lowers the memory that a step is measured to take, not only the estimate, and changes no loss. */
import { expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { measureApart } from '../bench/recompute.ts';

// At batch 8 activations are most of what the step takes, as in the models that do not fit.
const BATCH = 8;

// Two processes of ten seconds; that no number changes, src/program/recompute.test.ts shows.
it.runIf(depth(false, true))('the built-in UNet in six segments', { timeout: 240_000 }, () => {
  const whole = measureApart(1, BATCH);
  const parts = measureApart(6, BATCH);
  expect(whole.stages).toBe(1);
  expect(parts.stages).toBeGreaterThan(6);
  // The same sums in the same order, but for what a stage stores as float32.
  expect(Math.abs(parts.loss - whole.loss)).toBeLessThan(1e-6 * Math.abs(whole.loss));
  console.log(
    `wasm heap: whole ${whole.wasm / 1e6} MB, in six segments ${parts.wasm / 1e6} MB; estimated ${whole.estimate / 1e6} and ${parts.estimate / 1e6} MB`,
  );
  expect(parts.wasm).toBeLessThan(0.6 * whole.wasm);
  // The verdict before a run is made from the estimate: it must rank them alike, and not promise too much.
  expect(parts.estimate).toBeLessThan(0.6 * whole.estimate);
});
