/** @file The noise schedule of a diffusion model, as diffusers' scheduler_config.json describes it. */
import type { PredictionType, SchedulerConfig } from './schedulerConfig.ts';
import { roundEven } from '#src/platform/roundEven.ts';
import { linspace, spaced } from './spacing.ts';

function betasOf(c: SchedulerConfig): Float64Array {
  const n = c.num_train_timesteps;
  if (c.trained_betas) return Float64Array.from(c.trained_betas);
  switch (c.beta_schedule) {
    case 'linear':
      return linspace(c.beta_start, c.beta_end, n);
    case 'scaled_linear':
      return linspace(Math.sqrt(c.beta_start), Math.sqrt(c.beta_end), n).map((b) => b * b);
    case 'squaredcos_cap_v2': {
      // Nichol and Dhariwal, 2102.09672: ᾱ(t) = cos²((t + s)/(1 + s)·π/2), s = 0.008, β capped at 0.999.
      const bar = (t: number) => Math.cos(((t + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
      return Float64Array.from({ length: n }, (_, i) => Math.min(1 - bar((i + 1) / n) / bar(i / n), 0.999));
    }
  }
}

function alphasCumprodOf(c: SchedulerConfig): Float64Array {
  let product = 1;
  const bar = betasOf(c).map((beta) => (product *= 1 - beta));
  if (!c.rescale_betas_zero_snr) return bar;
  // Lin et al., 2305.08891, algorithm 1: shift √ᾱ so that it ends at 0, scale so that it starts where it did.
  const first = Math.sqrt(bar[0]!);
  const last = Math.sqrt(bar.at(-1)!);
  return bar.map((a) => ((Math.sqrt(a) - last) * (first / (first - last))) ** 2);
}

export class Scheduler {
  /** ᾱ_t for t = 0 … T − 1: the share of the signal's variance left at t. */
  readonly alphasCumprod: Float64Array;
  readonly config: SchedulerConfig;

  constructor(config: SchedulerConfig) {
    this.config = config;
    this.alphasCumprod = alphasCumprodOf(config);
  }

  /** T: timesteps are 0 … T − 1. */
  get length(): number {
    return this.config.num_train_timesteps;
  }

  get prediction(): PredictionType {
    return this.config.prediction_type;
  }

  /** ᾱ_t; before the first timestep (t < 0), what set_alpha_to_one says. */
  alphaBar(t: number): number {
    if (t < 0) return this.config.set_alpha_to_one ? 1 : this.alphasCumprod[0]!;
    const alpha = this.alphasCumprod[t];
    if (alpha === undefined) throw new RangeError(`Timestep ${t} lies outside 0 … ${this.length - 1}.`);
    return alpha;
  }

  /** Signal-to-noise ratio ᾱ/(1 − ᾱ). */
  snr(t: number): number {
    const a = this.alphaBar(t);
    return a / (1 - a);
  }

  /** x_t = √ᾱ·x₀ + √(1 − ᾱ)·ε, written to `out` from `offset` on. */
  addNoise(
    x0: Float32Array,
    noise: Float32Array,
    t: number,
    out = new Float32Array(x0.length),
    offset = 0,
  ): Float32Array {
    return this.#turned(x0, noise, t, 1, out, offset);
  }

  /** √ᾱ·a ± √(1 − ᾱ)·b. */
  #turned(
    a: Float32Array,
    b: Float32Array,
    t: number,
    sign: 1 | -1,
    out: Float32Array,
    offset: number,
  ): Float32Array {
    const signal = Math.sqrt(this.alphaBar(t));
    const sigma = sign * Math.sqrt(1 - this.alphaBar(t));
    for (let i = 0; i < a.length; i++) out[offset + i] = signal * a[i]! + sigma * b[i]!;
    return out;
  }

  /** What the network should say: ε, or v = √ᾱ·ε − √(1 − ᾱ)·x₀ (Salimans and Ho, 2202.00512). */
  target(
    x0: Float32Array,
    noise: Float32Array,
    t: number,
    out = new Float32Array(x0.length),
    offset = 0,
  ): Float32Array {
    if (this.prediction === 'epsilon') {
      out.set(noise, offset);
      return out;
    }
    return this.#turned(noise, x0, t, -1, out, offset);
  }

  /**
   * Min-SNR-γ weight of a timestep's loss (Hang et al., 2303.09556): min(SNR, γ)/SNR for ε-prediction,
   * min(SNR, γ)/(SNR + 1) for v-prediction. γ = 0: 1 everywhere.
   */
  minSnrWeight(t: number, gamma: number): number {
    if (gamma === 0) return 1;
    const snr = this.snr(t);
    if (this.prediction === 'epsilon') return snr <= gamma ? 1 : gamma / snr;
    return Math.min(snr, gamma) / (snr + 1);
  }

  /** How far apart DDIM takes its steps to be, whatever the spacing (as diffusers does): ⌊T/steps⌋. */
  stride(steps: number): number {
    return Math.floor(this.length / steps);
  }

  /** DDIM's timesteps, from the noisiest down. Throws DataError if there cannot be so many steps. */
  timesteps(steps: number): Int32Array {
    return Int32Array.from(spaced(this.config, steps), roundEven);
  }
}
