import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depth } from './testing/depth.ts';
import { ownScript, type ScriptRealm } from './ownScript.ts';

const PAGE = 'https://rotune.example/some/folder/';

/** A realm that enforces: what it gives out is no text. */
function realmAt(href: string, document?: object) {
  const made: string[] = [];
  const realm: ScriptRealm = {
    location: { href, origin: new URL(href).origin },
    ...(document && { document }),
    trustedTypes: {
      createPolicy(name, rules) {
        if (made.includes(name)) throw new TypeError(`A second policy ${name}.`);
        made.push(name);
        return {
          createScriptURL: (text: string) => ({ trusted: rules.createScriptURL!(text) }),
          createHTML: (text: string) => text,
        };
      },
    },
  };
  return { realm, made };
}

describe('an address of a script', () => {
  it('is made trusted by one policy for each realm', () => {
    const { realm, made } = realmAt(PAGE, {});
    expect(ownScript('assets/a.js', realm)).toEqual({ trusted: `${PAGE}assets/a.js` });
    expect(ownScript(new URL('abroad/b.js', PAGE), realm)).toEqual({ trusted: `${PAGE}abroad/b.js` });
    expect(made).toEqual(['rotune']);
  });

  it('stays as it is in a browser without Trusted Types', () => {
    expect(ownScript(new URL('a.js', PAGE), {})).toBe(`${PAGE}a.js`);
    expect(ownScript('a.js', {})).toBe('a.js');
  });

  it('of a worker’s own helpers is none that reaches other hosts', () => {
    const { realm } = realmAt(`${PAGE}assets/trainer.worker.js`);
    expect(ownScript('ort.mjs', realm)).toEqual({ trusted: `${PAGE}assets/ort.mjs` });
    for (const address of [
      '../abroad/x.js',
      `${PAGE}abroad/x.js`,
      './/../../abroad/x.js',
      '../assets/%2e%2e/abroad/x.js',
    ])
      expect(() => ownScript(new URL(address, realm.location!.href), realm), address).toThrow(/for the page/);
    const inside = realmAt('https://rotune.example/abroad/rotune/assets/trainer.worker.js');
    expect(ownScript('ort.mjs', inside.realm)).toEqual({
      trusted: 'https://rotune.example/abroad/rotune/assets/ort.mjs',
    });
  });

  it.each([
    'https://evil.example/a.js',
    '//evil.example/a.js',
    'http://rotune.example/a.js',
    'https://rotune.example:8443/a.js',
    'https://rotune.example@evil.example/a.js',
    'https://evil.example@rotune.example/a.js',
    'https://:secret@rotune.example/a.js',
    'data:text/javascript,0',
    `blob:${PAGE}0`,
    'javascript:0',
    'file:///a.js',
  ])('elsewhere is refused: %s', (address) => {
    expect(() => ownScript(address, realmAt(PAGE, {}).realm)).toThrow(TypeError);
  });

  it('is on this origin, whatever was asked for', () => {
    const { realm } = realmAt(PAGE, {});
    const piece = fc.constantFrom(
      '/',
      '//',
      '\\',
      '@',
      ':',
      '?',
      '#',
      '..',
      'blob:',
      'https:',
      'data:',
      'evil.example',
      'rotune.example',
      '\t',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.webUrl(), fc.string()), { maxLength: 6 }), (pieces) => {
        let given: unknown;
        try {
          given = ownScript(pieces.join(''), realm);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        const { trusted } = given as { trusted: string };
        expect(trusted.startsWith('https://rotune.example/')).toBe(true);
      }),
      { numRuns: depth(100, 10_000) },
    );
  });
});
