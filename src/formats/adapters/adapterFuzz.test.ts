import { describe, expect, it } from 'vitest';
import { peftSettings } from '#src/oft/plan/planned.ts';
import { readAdapter, writeAdapter } from './adapterFiles.ts';
import { FormatError } from '../errors.ts';
import { seeded, testAdapter, testLayer, testWeight } from '../testing/adapters.ts';
import { unpacked, zipFiles } from '../files/zip.ts';

const random = seeded(3);
const conv = testLayer('down.0.conv1', 4, 16, { kernel: [3, 3] });
const linear = testLayer('down.0.attn.to_q', 24, 16);
const model = [conv, linear];

describe('damaged files', () => {
  it('300 mutations of each format are read or refused, never crash', async () => {
    const roll = seeded(300);
    const output = [conv, linear].map((l) => testAdapter(l, 4, { rescale: true, constraint: 0.1 }, random));
    const boft = [conv, linear].map((l) => testAdapter(l, 4, { algorithm: 'boft' }, random, { stages: 3 }));
    const input = [conv, linear].map((l) => testAdapter(l, 4, peftSettings, random));
    const sources: Map<string, Uint8Array>[] = [];
    for (const [format, layers] of [
      ['lycoris', output],
      ['lycoris', boft],
      ['comfyui', output],
      ['peft', input],
      ['oft_r', input],
      ['diff', input],
    ] as const) {
      const { files } = await writeAdapter(format, { layers, weight: testWeight });
      sources.push(new Map(files.map((f) => [f.path, f.bytes])));
    }
    const peft = [...sources[3]!].map(([path, bytes]) => ({ path, bytes }));
    sources.push(new Map([['a.zip', await zipFiles(peft)]]));
    let refused = 0;
    for (let i = 0; i < 300; i++)
      for (const source of sources) {
        const files = new Map([...source].map(([path, bytes]) => [path, mutated(bytes, roll)]));
        try {
          for (const l of readAdapter(await unpacked(files), model).layers) {
            expect(l.blocks).toBeInstanceOf(Float32Array);
            expect(l.layer.count * l.layer.size).toBe(l.layer.width);
          }
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          expect(error.message.length).toBeGreaterThan(20);
          refused++;
        }
      }
    expect(refused).toBeGreaterThan(300);
  });
});

/** Bytes changed, cut, doubled or swapped, mostly in the header, where the structure is. */
function mutated(bytes: Uint8Array, roll: () => number): Uint8Array {
  let out = bytes.slice();
  const edits = 1 + Math.floor(roll() * 3);
  for (let e = 0; e < edits; e++) {
    const reach = roll() < 0.8 ? Math.min(out.length, 600) : out.length;
    const at = Math.floor(roll() * reach);
    const kind = roll();
    if (kind < 0.45) out[at] = Math.floor(roll() * 256);
    else if (kind < 0.7) out[at] = 48 + Math.floor(roll() * 10);
    else if (kind < 0.8) out = out.slice(0, at);
    else if (kind < 0.9) out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + 1)]);
    else out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.max(0, at - 8))]);
  }
  return out;
}
