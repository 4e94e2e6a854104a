/** @file Trusted Types, where the browser has them: under the page's policy (scripts/policy.mjs) code, markup and scripts' addresses are taken from named places alone. */

/** What TypeScript's libraries do not know yet: https://w3c.github.io/trusted-types/dist/spec/ */
export interface TrustedRules {
  createScriptURL?(address: string): string;
  createHTML?(text: string): string;
}
export interface TrustedRealm {
  readonly trustedTypes?: {
    createPolicy(name: string, rules: TrustedRules): Record<keyof TrustedRules, (text: string) => unknown>;
  };
}

/** This realm, whose Trusted Types TypeScript does not know. */
export const thisRealm: TrustedRealm = globalThis as TrustedRealm;

/** By realm and name: a second one of the same name is refused. */
const made = new WeakMap<object, Map<string, Record<keyof TrustedRules, (text: string) => unknown>>>();

/**
 * A text as the policy `name` lets it through: what browsers take in a string's place. Without Trusted Types it is the text itself, unchecked.
 * @throws whatever the rule throws
 */
export function trusted(
  realm: TrustedRealm,
  name: string,
  kind: keyof TrustedRules,
  rule: (text: string) => string,
  text: string,
): string {
  const { trustedTypes } = realm;
  if (!trustedTypes) return text;
  const policies = made.get(trustedTypes) ?? new Map<string, ReturnType<typeof trustedTypes.createPolicy>>();
  made.set(trustedTypes, policies);
  const policy = policies.get(name) ?? trustedTypes.createPolicy(name, { [kind]: rule });
  policies.set(name, policy);
  return policy[kind](text) as string;
}
