/** @file A job with the change that a problem's button offers. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Mend } from '#src/tasks/types.ts';

export const mended = (job: Job, { data, options }: Mend): Job => ({
  ...job,
  data: { ...job.data, ...data },
  options: { ...job.options, ...options },
});
