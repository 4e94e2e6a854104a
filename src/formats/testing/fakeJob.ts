/** @file A job for tests and for the page's fake trainer. */
import { defaultJob } from '../jobs/job.ts';
import type { Job } from '../jobs/jobTypes.ts';

export const fakeJob: Job = {
  ...defaultJob,
  options: {},
  train: { ...defaultJob.train, checkpointSteps: 50 },
  sample: {
    ...defaultJob.sample,
    prompts: ['ghost', 'robot', 'unicorn', 'wolf', 'octopus', 'pear', 'doughnut', 'castle'],
    steps: 25,
  },
};
