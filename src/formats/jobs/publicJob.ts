/** @file A job as it may be shown to strangers: in error reports. */
import { reasonOf } from '#src/platform/refusals.ts';
import { NO_DATA } from './job.ts';
import { printJob } from './printJob.ts';
import type { Job } from './jobTypes.ts';

/** "builtin:emoji" stays; of own files and folders only the ending does. */
function withoutName(source: string): string {
  if (source.startsWith('builtin:')) return source;
  const [ending = ''] = /\.[a-z0-9]{1,12}$/i.exec(source) ?? [];
  return `(own ${ending === '' ? 'folder' : `file ${ending.toLowerCase()}`})`;
}

/** Whose words are learned is nobody else's business. */
const withoutSpeaker = (options: Job['options']): Job['options'] =>
  typeof options.speaker === 'string' && options.speaker !== ''
    ? { ...options, speaker: '(left out)' }
    : options;

/** Without prompts and without the names of own files. */
export function publicJob(job: Job): Job {
  const { data, sample, adapter } = job;
  const left = sample.prompts.length;
  return {
    ...job,
    model: withoutName(job.model),
    ...(adapter !== undefined && { adapter: withoutName(adapter) }),
    data: {
      ...data,
      train: data.train === NO_DATA ? NO_DATA : withoutName(data.train),
      heldout: data.heldout === null ? null : withoutName(data.heldout),
    },
    options: withoutSpeaker(job.options),
    sample: {
      ...sample,
      prompts: left === 0 ? [] : [`(${left} left out)`],
      negative: sample.negative === '' ? '' : '(left out)',
    },
  };
}

/** The same as TOML; where it cannot be written, why. Throws nothing. */
export function publicJobText(job: Job | null): string {
  if (job === null) return '(none)';
  try {
    return printJob(publicJob(job)).trim();
  } catch (cause) {
    return `(it cannot be written: ${reasonOf(cause, 'a mistake of Rotune itself')})`;
  }
}
