/** @file A job for tests and for the page's fake trainer. */
import { defaultSettings } from '#src/oft/plan/planned.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';

export const fakeJob: Job = {
  version: 1,
  task: 'diffusion',
  options: {},
  model: 'builtin:emoji',
  data: {
    train: 'builtin:high-contrast/train',
    heldout: 'builtin:high-contrast/heldout',
    split: 0,
    captionDropout: 0.1,
    flip: false,
  },
  train: {
    steps: 120,
    batch: 4,
    accumulate: 1,
    seed: 0,
    learningRate: 5e-3,
    schedule: 'cosine',
    warmup: 20,
    finalShare: 0.1,
    clip: 1,
    weightDecay: 0,
    betas: [0.9, 0.99],
    eps: 1e-8,
    minSnr: 0,
    blockwiseRate: false,
    recompute: false,
    checkpointSteps: 50,
    checkpointSeconds: 30,
  },
  plan: { ...defaultSettings, rules: [] },
  sample: {
    prompts: ['ghost', 'robot', 'unicorn', 'wolf', 'octopus', 'pear', 'doughnut', 'castle'],
    negative: '',
    steps: 25,
    guidance: 1,
    seed: 7,
    every: 20,
  },
};
