/** @file The page's policy: strict, the same by every way that it comes, and with nothing in the sources that it forbids. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headersAt } from '../e2e/engines/host.ts';
import { headersFile, headersFor, META_POLICY, policyFor, WIDE_FOLDER } from './policy.mjs';
import { bound } from './policyPlugin.mjs';

const sources = (ending: RegExp): string[] =>
  ['src', 'workers'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => ending.test(name) && !/\.test\.ts$|testing/.test(name))
      .map((name) => join(folder, name)),
  );

describe('the policy', () => {
  it('lets nothing be but what is named, and names no text as code, no inline style and no other host', () => {
    for (const path of [
      '/',
      '/assets/a.js',
      '/some/folder/index.html',
      `/${WIDE_FOLDER}/a.js`,
      `/x/${WIDE_FOLDER}/a.js`,
    ]) {
      const policy = policyFor(path);
      expect(policy, path).toMatch(/^default-src 'none';/);
      expect(policy, path).toMatch(/require-trusted-types-for 'script'/);
      expect(policy, path).not.toMatch(/'unsafe-|\*/);
    }
    expect(META_POLICY).not.toMatch(/https?:/);
    expect(policyFor('/')).toBe(`${META_POLICY}; frame-ancestors 'none'`);
  });

  it('is wider for the scripts of one folder alone, and only in whom they reach', () => {
    const wide = policyFor(`/${WIDE_FOLDER}/download.worker-1.js`);
    expect(wide).toMatch(/connect-src https: http:/);
    expect(wide).not.toMatch(/worker-src|img-src|style-src/);
    for (const path of [
      `/${WIDE_FOLDER}/`,
      `/${WIDE_FOLDER}/x/a.js`,
      `/${WIDE_FOLDER}.js`,
      `/x${WIDE_FOLDER}/a.js`,
      `/${WIDE_FOLDER}/index.html`,
    ])
      expect(policyFor(path), path).toBe(policyFor('/'));
  });

  it('comes first in the page, and once', () => {
    const page = bound(readFileSync('index.html', 'utf8'));
    const [before = ''] = page.split('http-equiv="Content-Security-Policy"');
    expect(before).not.toMatch(/<script|<link|<style/);
    expect(page.split(META_POLICY)).toHaveLength(2);
    expect(() => bound('<head></head>')).toThrow();
  });

  it.each(['/', '/index.html', '/assets/a.js', '/service-worker.js', `/${WIDE_FOLDER}/a.js`])(
    'is sent by hosts that read _headers as by our own server, and once: %s',
    (path) => {
      expect(Object.fromEntries(headersAt(headersFile(), path))).toEqual(
        Object.fromEntries(new Headers(headersFor(path))),
      );
    },
  );
});

describe('the sources', () => {
  it('have no style attributes and no raw HTML: both would be refused', () => {
    for (const file of sources(/\.svelte$/))
      expect(readFileSync(file, 'utf8'), file).not.toMatch(
        /\sstyle\s*=|\{@html|<style[^>]*>[^]*<style|\son[a-z]+="/,
      );
    expect(readFileSync('index.html', 'utf8')).not.toMatch(
      /\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)/,
    );
  });

  it('make no code and no markup of text', () => {
    // The one place that parses markup keeps it out of the page.
    for (const file of sources(/\.(ts|svelte)$/).filter((each) => !each.endsWith('worker/svg.ts')))
      expect(readFileSync(file, 'utf8'), file).not.toMatch(
        /\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write|srcdoc|createContextualFragment|setHTML|DOMParser|new Function\(|[^.\w]eval\(|set(Timeout|Interval)\(\s*['"`]/,
      );
  });
});

it('hosts are told the same in docs/hosting.md', () => {
  const told = readFileSync('docs/hosting.md', 'utf8');
  for (const path of ['/', `/${WIDE_FOLDER}/a.js`]) {
    const { 'Content-Security-Policy': policy, ...others } = headersFor(path);
    expect(told).toContain(`"${policy}";`);
    for (const [name, value] of Object.entries(others))
      expect(told).toContain(`add_header ${name} "${value}" always;`);
  }
});
