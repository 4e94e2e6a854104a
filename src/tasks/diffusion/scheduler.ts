/** @file The noise schedule of a diffusion model, as diffusers' scheduler_config.json describes it. */
import { fieldWords } from '#src/tasks/fields.ts';
import * as v from 'valibot';
import { DataError } from '#src/tasks/files.ts';
import { linspace, round, spaced } from './spacing.ts';

export type PredictionType = 'epsilon' | 'v_prediction';
export type TimestepSpacing = 'leading' | 'trailing' | 'linspace';

/** diffusers' schedulers whose training process is DDPM's; all can be sampled by DDIM. */
const family = [
  'DDIMScheduler',
  'DDPMScheduler',
  'PNDMScheduler',
  'LMSDiscreteScheduler',
  'EulerDiscreteScheduler',
  'EulerAncestralDiscreteScheduler',
  'HeunDiscreteScheduler',
  'KDPM2DiscreteScheduler',
  'KDPM2AncestralDiscreteScheduler',
  'DPMSolverMultistepScheduler',
  'DPMSolverSinglestepScheduler',
  'DPMSolverSDEScheduler',
  'DEISMultistepScheduler',
  'UniPCMultistepScheduler',
] as const;

/** Those whose timestep_spacing is leading, and which may clip, where the file says nothing; the others' is linspace. */
const ancestral: readonly unknown[] = [undefined, 'DDIMScheduler', 'DDPMScheduler', 'PNDMScheduler'];

/** What the scheduler named in the file takes for granted, where that differs from DDIM. */
function withDefaults(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const named: Record<string, unknown> = { ...json };
  return ancestral.includes(named['_class_name'])
    ? named
    : { timestep_spacing: 'linspace', clip_sample: false, ...named };
}

const finite = v.pipe(v.number(), v.finite());
const share = v.pipe(finite, v.minValue(0), v.maxValue(1));

/** Defaults are those of diffusers' DDIMScheduler; keys of other samplers are ignored, as diffusers does. */
const configSchema = v.object({
  _class_name: v.optional(v.picklist(family)),
  num_train_timesteps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(100_000)), 1000),
  beta_start: v.optional(share, 0.0001),
  beta_end: v.optional(share, 0.02),
  beta_schedule: v.optional(v.picklist(['linear', 'scaled_linear', 'squaredcos_cap_v2']), 'linear'),
  trained_betas: v.optional(v.nullable(v.array(share)), null),
  prediction_type: v.optional(v.picklist(['epsilon', 'v_prediction']), 'epsilon'),
  timestep_spacing: v.optional(v.picklist(['leading', 'trailing', 'linspace']), 'leading'),
  steps_offset: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  set_alpha_to_one: v.optional(v.boolean(), true),
  clip_sample: v.optional(v.boolean(), true),
  clip_sample_range: v.optional(v.pipe(finite, v.gtValue(0)), 1),
  thresholding: v.optional(v.literal(false, 'dynamic thresholding is not supported'), false),
  rescale_betas_zero_snr: v.optional(v.boolean(), false),
  // Euler's and DPM-Solver's alone.
  use_karras_sigmas: v.optional(v.nullable(v.boolean()), false),
  final_sigmas_type: v.optional(v.picklist(['zero', 'sigma_min']), 'zero'),
});
export type SchedulerConfig = v.InferOutput<typeof configSchema>;

/** Reads scheduler_config.json. Throws DataError that names every value that Rotune does not know. */
export function parseSchedulerConfig(
  json: unknown,
  where = 'scheduler/scheduler_config.json',
): SchedulerConfig {
  const result = v.safeParse(configSchema, withDefaults(json));
  if (!result.success) {
    const what = result.issues.map((issue) => fieldWords(issue));
    throw new DataError(
      `${where} asks for a noise schedule that Rotune does not have: ${what.join('; ')}. Export the model with a DDIM scheduler.`,
    );
  }
  const config = result.output;
  if (config.trained_betas && config.trained_betas.length !== config.num_train_timesteps)
    throw new DataError(
      `${where}: trained_betas holds ${config.trained_betas.length} numbers, but num_train_timesteps is ${config.num_train_timesteps}. Copy the file from the original model.`,
    );
  if (config.rescale_betas_zero_snr && config.prediction_type === 'epsilon')
    throw new DataError(
      `${where}: rescale_betas_zero_snr needs prediction_type v_prediction: at zero signal the noise says nothing of the image. Correct the one that is wrong.`,
    );
  return config;
}

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
    const signal = Math.sqrt(this.alphaBar(t));
    const sigma = Math.sqrt(1 - this.alphaBar(t));
    for (let i = 0; i < x0.length; i++) out[offset + i] = signal * x0[i]! + sigma * noise[i]!;
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
    const signal = Math.sqrt(this.alphaBar(t));
    const sigma = Math.sqrt(1 - this.alphaBar(t));
    for (let i = 0; i < x0.length; i++) out[offset + i] = signal * noise[i]! - sigma * x0[i]!;
    return out;
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
    return Int32Array.from(spaced(this.config, steps), round);
  }
}
