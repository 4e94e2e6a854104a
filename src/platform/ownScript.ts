/** @file Addresses of our own scripts, as the page's policy wants them: nothing else may become a worker. */
import { trusted, type TrustedRealm } from './trustedTypes.ts';

export interface ScriptRealm extends TrustedRealm {
  /** Pages have one. */
  readonly document?: object;
  readonly location?: { readonly href: string; readonly origin: string };
}

function checked(address: string, { document, location }: ScriptRealm): string {
  const url = new URL(address, location?.href);
  // A blob's address has our origin, too, and holds whatever somebody put into it. One with a name before the host is nobody's own.
  const named = url.username !== '' || url.password !== '';
  if (!location || !/^https?:$/.test(url.protocol) || url.origin !== location.origin || named)
    throw new TypeError(`${url.href} is no script of this page.`);
  // A worker reads what comes from strangers: it gets no helper that reaches other hosts. Its script lies in a folder of the page's own (assets/).
  if (!document && url.href.startsWith(new URL('../abroad/', location.href).href))
    throw new TypeError(`${url.href} is for the page to start.`);
  return url.href;
}

/**
 * An address for `new Worker` and `serviceWorker.register`, which under the policy take no plain text. Where the browser knows no Trusted Types it stays
 * text, unchecked.
 * @param address absolute, or relative to the realm's own
 * @throws TypeError for an address that is not on this origin, and in a worker for what may reach other hosts (abroad/)
 */
export const ownScript = (address: string | URL, realm: ScriptRealm = globalThis): string =>
  trusted(realm, 'rotune', 'createScriptURL', (text) => checked(text, realm), String(address));
