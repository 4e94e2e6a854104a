/** @file The task's own options as the code sees them. What job files may say stands in info.ts. */

export interface DiffusionOptions {
  readonly sampler: 'ddim' | 'euler' | 'dpm++_2m';
  /** Standard deviation of the noise that is the same all over a channel; 0: off. */
  readonly offsetNoise: number;
  /** Train pictures of other shapes at sizes of their own. */
  readonly buckets: boolean;
  readonly trainTextEncoder: boolean;
  /** What a VAE's latents are: the middle of the encoder's distribution, or a new draw from it at each step. */
  readonly latents: 'mean' | 'sample';
  /** Of caption files: all lines as one text, or the first alone, as sd-scripts reads them. */
  readonly captionLines: 'all' | 'first';
}

export const defaults: DiffusionOptions = {
  sampler: 'ddim',
  offsetNoise: 0,
  buckets: false,
  trainTextEncoder: false,
  latents: 'mean',
  captionLines: 'all',
};
