/** @file How many threads the address asks for: `?threads=1` leaves the other cores to other work. */

/** @param search of the page's address @returns from 1 on; null: as many as help */
export function askedThreads(search: string): number | null {
  const asked = new URLSearchParams(search).get('threads');
  return asked !== null && /^[1-9]\d?$/.test(asked) ? Number(asked) : null;
}
