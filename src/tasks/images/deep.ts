/** @file PNGs of 16 bits: browsers cut the lower ones off, here they are rounded. Loaded when the first such picture is read. */
import { Reason } from '#src/platform/refusals.ts';
import { decode } from 'fast-png';
import type { RawImage } from '#src/tasks/types.ts';
import { overWhite } from './overWhite.ts';

/** Is it a PNG of 16 bits for each sample? */
export const isDeepPng = (bytes: Uint8Array): boolean => bytes.length > 24 && bytes[24] === 16;

/** As it is stored. Throws with a reason if it is damaged. */
export function decodeDeepPng(bytes: Uint8Array): RawImage {
  try {
    const { width, height, data, channels, depth, transparency } = decode(bytes);
    if (depth !== 16) throw new RangeError(`depth ${depth}`);
    const [samples, each] = transparency ? withAlpha(data, channels, transparency) : [data, channels];
    return { width, height, rgba: overWhite(samples, each, 16, width * height) };
  } catch {
    throw new Reason('it is a damaged PNG of 16 bits');
  }
}

/** One colour that is transparent (tRNS). */
function withAlpha(
  data: ArrayLike<number>,
  channels: number,
  colour: ArrayLike<number>,
): [Uint16Array, number] {
  const pixels = data.length / channels;
  const out = new Uint16Array(pixels * (channels + 1));
  for (let i = 0; i < pixels; i++) {
    let same = true;
    for (let c = 0; c < channels; c++) {
      const v = data[i * channels + c]!;
      out[i * (channels + 1) + c] = v;
      same &&= v === colour[c];
    }
    out[i * (channels + 1) + channels] = same ? 0 : 65_535;
  }
  return [out, channels + 1];
}
