/**
 * @file A page that is left for another one in the middle of a run. Safari keeps such a page frozen, with its worker and the database that the worker has
 * open, and the next page of ours would wait for that without end. Other browsers end it: so does this. The run goes on from its checkpoint; whoever leaves in mid-run is asked first.
 */

/** What is heard of: a window, or in tests anything like it. */
export interface Leaving {
  /** A run is going on. */
  readonly busy: () => boolean;
  /** What a run learned is in this tab alone. */
  readonly unsaved: () => boolean;
  readonly endWorker: () => void;
  readonly reload: () => void;
}

export function watchLeaving(
  { busy, unsaved, endWorker, reload }: Leaving,
  page: EventTarget = globalThis,
): void {
  let ended = false;
  const kept = (event: Event) => (event as PageTransitionEvent).persisted;
  // The browser asks in its own words; a run that is saved could go on, but its present steps are lost.
  page.addEventListener('beforeunload', (event) => {
    if (busy() || unsaved()) event.preventDefault();
  });
  page.addEventListener('pagehide', (event) => {
    if (!kept(event) || !busy()) return;
    ended = true;
    endWorker();
  });
  // Whoever comes back finds a page without its worker: it begins anew, and offers to go on.
  page.addEventListener('pageshow', (event) => {
    if (kept(event) && ended) reload();
  });
}
