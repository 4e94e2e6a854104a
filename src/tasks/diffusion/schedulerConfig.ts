/** @file diffusers' scheduler_config.json. */
import * as v from 'valibot';
import { fieldWords } from '#src/tasks/fields.ts';
import { DataError } from '#src/tasks/files.ts';

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
