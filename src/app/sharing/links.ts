/** @file The share link of a job. The codec loads only when one is asked for. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';

/** Somebody's name goes nowhere with a recipe: whoever opens it has other chats. */
function withoutSpeaker(job: Job): Job {
  if (job.task !== 'language') return job;
  return { ...job, options: { ...job.options, speaker: '' } };
}

export async function makeLink(job: Job): Promise<string> {
  const { encodeLink } = await import('#src/formats/jobs/link.ts');
  const fragment = await encodeLink(withoutSpeaker(job));
  return new URL(fragment.startsWith('#') ? fragment : `#${fragment}`, new URL('.', document.baseURI)).href;
}
