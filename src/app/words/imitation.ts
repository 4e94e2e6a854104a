/** @file A model that learned one person's words speaks like that person: whoever meets it is to know. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';

/** Whose words the job learns; null: nobody's in particular. */
export function imitated({ task, options }: Pick<Job, 'task' | 'options'>): string | null {
  const { speaker, exports } = options;
  return task === 'language' && exports !== 'off' && typeof speaker === 'string' && speaker.trim() !== ''
    ? speaker.trim()
    : null;
}

/** What stands on a run and beside its files; null: it imitates nobody. */
export function imitationWords(job: Pick<Job, 'task' | 'options'>): string | null {
  const name = imitated(job);
  return name === null
    ? null
    : `It imitates a person: ${name}. What it says, ${name} never said; tell whoever talks with it.`;
}
