import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compiledIn, licenceOf, licencesText, shippedPackages } from './licences.mjs';
import { sourceAddress } from './version.mjs';

const names = [...shippedPackages().values()].map(({ name }) => name);

it('knows what is shipped: dependencies, and what they need', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
  };
  expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  expect(names).toContain('flatbuffers');
  for (const tool of ['vitest', 'vite', 'eslint', 'playwright']) expect(names).not.toContain(tool);
});

it('has a licence for each of them, by name, and begins with our own', () => {
  const text = licencesText();
  expect(text.startsWith(readFileSync('NOTICE', 'utf8').trim())).toBe(true);
  expect(text).toContain('Apache License');
  for (const [folder, manifest] of shippedPackages()) {
    expect(text).toContain(`\n${manifest.name} ${manifest.version} (`);
    const licence = licenceOf(folder, manifest);
    expect(licence.length, manifest.name).toBeGreaterThan(100);
    expect(text).toContain(licence);
  }
  expect(licencesText()).toBe(text);
});

it('refuses a package that says nothing of its licence, rather than leave it out', () => {
  expect(() => licenceOf('scripts/testing', { name: 'x', version: '1.0.0' })).toThrow('x has no file');
  expect(() => licenceOf('scripts/testing', { name: 'x', version: '1.0.0', license: 'Own' })).toThrow('Own');
  expect(licenceOf('scripts/testing', { name: 'x', version: '1', license: 'MIT', author: 'A' })).toContain(
    'Copyright (c) A',
  );
});

it('says where the notices are of what the runtime’s WebAssembly was compiled from', () => {
  const [folder, manifest] = [...shippedPackages()].find(([, { name }]) => name === 'onnxruntime-web')!;
  const note = compiledIn(folder, manifest);
  expect(note).toContain('ThirdPartyNotices.txt');
  expect(note).toContain('https://github.com/microsoft/onnxruntime');
  expect(note).toContain(`release ${manifest.version}.`);
  expect(licencesText()).toContain(note);
  // Packages that bring them need no such words.
  const other = mkdtempSync(join(tmpdir(), 'rotune-notices-'));
  writeFileSync(join(other, 'ThirdPartyNotices.txt'), 'x');
  expect(compiledIn(other, manifest)).toBe('');
  rmSync(other, { recursive: true });
});

it('finds the address of the source in package.json, where there is one', () => {
  expect(sourceAddress(undefined)).toBe('');
  expect(sourceAddress({ type: 'git', url: 'git+https://example.org/a/b.git' })).toBe(
    'https://example.org/a/b',
  );
  expect(sourceAddress('https://example.org/a/b')).toBe('https://example.org/a/b');
  expect(sourceAddress('github:a/b')).toBe('');
});
