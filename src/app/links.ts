/** @file Share links from the page's side: the one that opened the page, and the one to copy. The codec loads only when there is a link. */
import type { Job } from '#src/formats/jobTypes.ts';
import type { Lab } from './lab.svelte.ts';
import { toProblem } from './problems.ts';

/** Opens `#v1:…`, and leaves the address bar clean. */
export async function readLink(lab: Lab): Promise<void> {
  const { hash } = location;
  if (!/^#v\d+:/.test(hash)) return;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    const { decodeLink } = await import('#src/formats/link.ts');
    lab.openLink(await decodeLink(hash));
  } catch (cause) {
    lab.refuseLink(
      toProblem(cause, {
        code: 'bad-job',
        safe: 'Nothing was changed or loaded.',
        cure: 'Ask for the link again, or start with the built-in example.',
      }),
    );
  }
}

export async function makeLink(job: Job): Promise<string> {
  const { encodeLink } = await import('#src/formats/link.ts');
  const fragment = await encodeLink(job);
  return new URL(fragment.startsWith('#') ? fragment : `#${fragment}`, new URL('.', document.baseURI)).href;
}
