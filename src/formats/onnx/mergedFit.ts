/** @file What merging an adapter into its model loses. */
import { type Fit, FitBuilder } from '../adapters/fit.ts';
import type { PlannedLayer } from '#src/oft/types.ts';

const merging = (planned: readonly PlannedLayer[]): FitBuilder =>
  new FitBuilder(planned).loss(
    () => true,
    () =>
      'The adapter cannot be taken out of the merged model again, nor its strength changed: keep its own file too.',
  );

/** What merging loses. */
export const mergedFit = (planned: readonly PlannedLayer[]): Fit => merging(planned);

/** What merging into half-precision weights loses. */
export const mergedHalfFit = (planned: readonly PlannedLayer[]): Fit =>
  merging(planned).loss(
    () => true,
    () =>
      'Every weight of the model is rounded to half precision (11 bits, 0.05 %); what is computed from them stays in single precision.',
  );
