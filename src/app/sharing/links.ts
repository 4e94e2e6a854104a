/** @file The share link of a job. The codec loads only when one is asked for. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';

export async function makeLink(job: Job): Promise<string> {
  const { encodeLink } = await import('#src/formats/jobs/link.ts');
  const fragment = await encodeLink(job);
  return new URL(fragment.startsWith('#') ? fragment : `#${fragment}`, new URL('.', document.baseURI)).href;
}
