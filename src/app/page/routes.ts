/** @file Addresses of views. All stand in the hash, so that any static host serves them: `#/run/<id>`, and `#v1:…`, which is a job shared as a link. */
import { SCREENS, type Screen } from './screens.ts';

export interface Route {
  readonly screen: Screen;
  /** What of: the id of a run, the task of a new job, a model's address; '' where there is but one. */
  readonly of: string;
  /** The link of a shared job, whole; '' for all other addresses. */
  readonly link: string;
}

export const HOME: Route = { screen: 'home', of: '', link: '' };

export const routeTo = (screen: Screen, of = ''): Route => ({ screen, of, link: '' });

export const sameRoute = (a: Route, b: Route): boolean =>
  a.screen === b.screen && a.of === b.of && a.link === b.link;

const isLink = (hash: string): boolean => /^#v\d+:/.test(hash);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A cut address: as it stands.
    return part;
  }
}

/** The view that an address names; null: none of ours, or an address cut off. */
export function parseRoute(hash: string): Route | null {
  if (isLink(hash)) return { screen: 'home', of: '', link: hash };
  const [name = '', ...rest] = hash.replace(/^#?\/?/, '').split('/');
  const screen = name === '' ? 'home' : SCREENS.find((it) => it === name && it !== 'home');
  return screen === undefined ? null : routeTo(screen, decoded(rest.join('/')));
}

/** What stands in the address bar behind the page's own address. Slashes stay, so that a model's address can be read. */
export function addressOf({ screen, of, link }: Route): string {
  if (link !== '') return link;
  if (screen === 'home') return '#/';
  return of === '' ? `#/${screen}` : `#/${screen}/${encodeURIComponent(of).replaceAll('%2F', '/')}`;
}
