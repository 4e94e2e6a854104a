/** @file Share links from the page's side: the one that opened the page, and the one to copy. The codec loads only when there is a link. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Lab } from '../lab.svelte.ts';
import { toProblem } from '../worker/problems.ts';

/** The hash part of the link that opened the page; '' if none did. */
let arrived = '';

const inBar = (hash: string): void =>
  history.replaceState(null, '', location.pathname + location.search + hash);

/** Opens `#v1:…`, and leaves the address bar clean. */
export async function readLink(lab: Lab): Promise<void> {
  const { hash } = location;
  if (!/^#v\d+:/.test(hash)) return;
  arrived = hash;
  inBar('');
  try {
    const { decodeLink } = await import('#src/formats/jobs/link.ts');
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

/** Loads the page anew; where it still shows what a link brought, with that link. */
export function reloadWithLink(lab: Pick<Lab, 'screen'>): void {
  if (arrived !== '' && lab.screen === 'home') inBar(arrived);
  location.reload();
}

export async function makeLink(job: Job): Promise<string> {
  const { encodeLink } = await import('#src/formats/jobs/link.ts');
  const fragment = await encodeLink(job);
  return new URL(fragment.startsWith('#') ? fragment : `#${fragment}`, new URL('.', document.baseURI)).href;
}
