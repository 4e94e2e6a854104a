import { describe, expect, it } from 'vitest';
import { PlainError } from './refusals.ts';

describe('what a file’s words make of a message', () => {
  it.each<[string, string]>([
    ['The key\n"a\r\nb" is wrong. \u0000Leave it out.', 'The key "a b" is wrong. Leave it out.'],
    ['The file \u202egnp.exe is none. Choose one.', 'The file gnp.exe is none. Choose one.'],
    [
      `${'k'.repeat(5000)} is no key. Known: a, b.`,
      `${'k'.repeat(100)}…${'k'.repeat(20)} is no key. Known: a, b.`,
    ],
    ['Größe, 猫 and 💥 stay.', 'Größe, 猫 and 💥 stay.'],
  ])('%#', (message, shown) => {
    expect(new PlainError(message).message).toBe(shown);
    expect(new PlainError('x', { cure: message }).cure).toBe(shown);
  });

  it('is read at any length', () => {
    const message = new PlainError(`${'x'.repeat(2e7)} is no key. Known: a, b.`).message;
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/is no key\. Known: a, b\.$/);
  });

  it('is cut in its middle where it is long', () => {
    const message = new PlainError(`Wrong are ${'1, '.repeat(5000)}2. Take others.`).message;
    expect(message).toHaveLength(700 + 3 + 200);
    expect(message.endsWith('Take others.')).toBe(true);
  });
});
