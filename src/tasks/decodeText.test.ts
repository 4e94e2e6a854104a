import { describe, expect, it } from 'vitest';
import { decodeText } from './decodeText.ts';

const utf16 = (text: string, big = false, mark = true): Uint8Array => {
  const units = [...(mark ? '\uFEFF' : ''), ...text].join('');
  return Uint8Array.from(
    [...units].flatMap((c) => {
      const code = c.charCodeAt(0);
      return big ? [code >> 8, code & 255] : [code & 255, code >> 8];
    }),
  );
};

describe('the text of a file', () => {
  const text = 'file_name;label\r\na.png;Größe\r\n';
  it.each<[string, Uint8Array]>([
    ['UTF-8', new TextEncoder().encode(text)],
    ['UTF-8 with a mark', new TextEncoder().encode(`\uFEFF${text}`)],
    ['UTF-16, little end first', utf16(text)],
    ['UTF-16, big end first', utf16(text, true)],
    ['UTF-16 without a mark', utf16(text, false, false)],
    ['UTF-16, big end first, without a mark', utf16(text, true, false)],
  ])('is read from %s', (_, bytes) => {
    expect(decodeText(bytes)).toBe(text);
  });

  it('may be empty, and may hold other scripts', () => {
    expect(decodeText(new Uint8Array(0))).toBe('');
    expect(decodeText(new TextEncoder().encode('猫😀'))).toBe('猫😀');
    expect(decodeText(utf16('猫犬'))).toBe('猫犬');
  });

  it('is refused in other encodings', () => {
    expect(() => decodeText(Uint8Array.of(0x47, 0x72, 0xf6, 0xdf, 0x65))).toThrow(/not UTF-8/);
    expect(() => decodeText(Uint8Array.of(0xff, 0xfe, 0x00, 0xd8))).toThrow(/UTF-16/);
  });
});
