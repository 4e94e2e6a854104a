/** @file A job as a file. */
import { printToml } from '../files/printToml.ts';
import { jobToTable } from './job.ts';
import type { Job } from './jobTypes.ts';

/** The job as a file that parseJob reads back as it was. */
export const printJob = (job: Job): string => printToml(jobToTable(job));
