/** @file Addresses of our own scripts, as the page's policy wants them: nothing else may become a worker (Trusted Types; scripts/policy.mjs has the policy). */

/** What TypeScript's libraries do not know yet: https://w3c.github.io/trusted-types/dist/spec/ */
interface Rules {
  createScriptURL(address: string): string;
}
interface ScriptPolicy {
  createScriptURL(address: string): unknown;
}
export interface ScriptRealm {
  readonly trustedTypes?: { createPolicy(name: string, rules: Rules): ScriptPolicy };
  /** Pages have one. */
  readonly document?: object;
  readonly location?: { readonly href: string; readonly origin: string };
}

/** One for each realm: a second of the same name is refused. */
const policies = new WeakMap<object, ScriptPolicy>();

const rulesOf = (realm: ScriptRealm): Rules => ({
  createScriptURL(address) {
    const url = new URL(address, realm.location?.href);
    // A blob's address has our origin, too, and holds whatever somebody put into it.
    if (!/^https?:$/.test(url.protocol) || url.origin !== realm.location?.origin)
      throw new TypeError(`${url.href} is no script of this page.`);
    // A worker reads what comes from strangers: it gets no helper that reaches other hosts. Its script lies in a folder of the page's own (assets/).
    if (!realm.document && url.href.startsWith(new URL('../abroad/', realm.location.href).href))
      throw new TypeError(`${url.href} is for the page to start.`);
    return url.href;
  },
});

/**
 * An address for `new Worker` and `serviceWorker.register`, which under the policy take no plain text. Where the browser knows no Trusted Types it stays
 * text, unchecked.
 * @param address absolute, or relative to the realm's own
 * @throws TypeError for an address that is not on this origin, and in a worker for what may reach other hosts (abroad/)
 */
export function ownScript(address: string | URL, realm: ScriptRealm = globalThis): string {
  const { trustedTypes } = realm;
  if (!trustedTypes) return String(address);
  let policy = policies.get(trustedTypes);
  if (!policy) {
    policy = trustedTypes.createPolicy('rotune', rulesOf(realm));
    policies.set(trustedTypes, policy);
  }
  // A TrustedScriptURL, which both take in a string's place.
  return policy.createScriptURL(String(address)) as string;
}
