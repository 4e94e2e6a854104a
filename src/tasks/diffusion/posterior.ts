/** @file Latents of a VAE: the encoder's normal distribution, and the scale that the UNet works in. */

/** z = (latent − shift)·scaling is what the UNet sees. */
export interface LatentScale {
  readonly scaling: number;
  readonly shift: number;
}

/** One picture's latents in the UNet's scale, [channels · height · width]. */
export interface Latent {
  readonly mean: Float32Array;
  /** Standard deviations; null where the encoder gave none, or the mean alone is asked for. */
  readonly deviation: Float32Array | null;
}

/** diffusers' limits of log σ² (DiagonalGaussianDistribution). */
const [least, most] = [-30, 20];

/**
 * Mean and deviation of one picture.
 * @param parameters [2·channels · plane]: the means, then log σ²
 */
export function posterior(
  parameters: Float32Array,
  { scaling, shift }: LatentScale,
  withDeviation: boolean,
): Latent {
  const half = parameters.length / 2;
  const mean = parameters.slice(0, half).map((x) => (x - shift) * scaling);
  if (!withDeviation) return { mean, deviation: null };
  const deviation = parameters
    .slice(half)
    .map((x) => Math.exp(Math.min(most, Math.max(least, x)) / 2) * scaling);
  return { mean, deviation };
}

/** mean + deviation·noise; the mean where there is no deviation. */
export function drawLatent({ mean, deviation }: Latent, noise: () => Float32Array): Float32Array {
  if (!deviation) return mean;
  const epsilon = noise();
  return mean.map((m, i) => m + deviation[i]! * epsilon[i]!);
}

/** What the decoder takes, from the UNet's scale. */
export const unscaled = (z: Float32Array, { scaling, shift }: LatentScale): Float32Array =>
  z.map((x) => x / scaling + shift);
