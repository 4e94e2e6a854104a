import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { peftSettings } from '#src/oft/plan/planned.ts';
import { readAdapter, writeAdapter } from '../adapterFiles.ts';
import { FormatError } from '../../errors.ts';
import { peftNumber, snapped } from './peftBlocks.ts';
import { readSafetensors } from '../../files/safetensors.ts';
import { seeded, testAdapter, testLayer } from '../../testing/adapters.ts';

const golden = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../../e2e/golden/oft/${path}`, import.meta.url)));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const random = seeded(2);

describe('block sizes', () => {
  it("snap as PEFT's own did in every golden case", () => {
    const cases = (
      JSON.parse(text(golden('cases.json'))) as {
        kind: string;
        layer: { type: string; in: number; kernel?: number[] };
        options: { oft_block_size?: number; r?: number };
        effective?: { oft_block_size: number; r: number };
      }[]
    ).filter((c) => c.kind === 'peft-oft' && c.effective && c.layer.type !== 'embedding');
    expect(cases.length).toBeGreaterThan(40);
    for (const { layer, options, effective } of cases) {
      const width = layer.in * (layer.kernel ?? []).reduce((p, k) => p * k, 1);
      if (options.r) expect(snapped(options.r, width)).toBe(effective!.r);
      else expect(snapped(options.oft_block_size ?? 32, width)).toBe(effective!.oft_block_size);
    }
  });

  it('one number is found whenever there is one, and does what it should', () => {
    const widths = [12, 36, 40, 64, 7, 320];
    for (let asked = 1; asked <= 330; asked++) {
      const planned = widths.map((w, i) => {
        const size = snapped(asked, w);
        return testAdapter(testLayer(`l${i}`, w, 4), w / size, peftSettings, random).layer;
      });
      const found = peftNumber(planned)!;
      const sizes = planned.map(({ width }) =>
        found.r > 0 ? width / snapped(found.r, width) : snapped(found.oft_block_size, width),
      );
      expect(sizes).toEqual(planned.map((p) => p.size));
    }
  });

  it('a count is used where no size would do', () => {
    const planned = [16, 64].map((w) => testAdapter(testLayer(`w${w}`, w, 4), 4, peftSettings, random).layer);
    expect(peftNumber(planned)).toEqual({ oft_block_size: 0, r: 4 });
  });
});

describe("PEFT's own folder", () => {
  const files = new Map(
    ['adapter_config.json', 'adapter_model.safetensors'].map((n) => [n, golden(`unet/peft/${n}`)]),
  );
  const tensors = readSafetensors(files.get('adapter_model.safetensors')!).tensors;
  const layers = [...tensors].map(([key, { shape }]) =>
    testLayer(key.slice('base_model.model.'.length, -'.oft_R.weight'.length), shape[0]! * 8, 4),
  );

  it('is read whole and written back byte for byte', async () => {
    const read = readAdapter(files, layers);
    expect([read.format, read.layers.length]).toEqual(['peft', 40]);
    expect([read.missing, read.unexpected, read.notes]).toEqual([[], [], []]);
    const written = await writeAdapter('peft', { layers: read.layers });
    const model = written.files.find((f) => f.path === 'adapter_model.safetensors')!;
    expect(Buffer.compare(model.bytes, files.get(model.path)!)).toBe(0);
  });

  it("the config has PEFT's keys in PEFT's order, and its values but for the names of targets", async () => {
    const { layers: own } = readAdapter(files, layers);
    const written = await writeAdapter('peft', { layers: own });
    const parse = (bytes: Uint8Array) => JSON.parse(text(bytes)) as Record<string, unknown>;
    const ours = parse(written.files[0]!.bytes);
    const theirs = parse(files.get('adapter_config.json')!);
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    expect(ours.target_modules).toEqual(own.map((l) => l.layer.layer.path));
    expect({ ...ours, target_modules: null, auto_mapping: null }).toEqual({
      ...theirs,
      target_modules: null,
      auto_mapping: null,
    });
  });
});

describe('a config', () => {
  const given = testAdapter(testLayer('fc', 24, 8), 3, { ...peftSettings, constraint: 0.25 }, random);
  const written = () => writeAdapter('peft', { layers: [given] });
  const withConfig = async (changes: Record<string, unknown>) => {
    const { files } = await written();
    const config = { ...(JSON.parse(text(files[0]!.bytes)) as object), ...changes };
    return readAdapter(
      new Map([
        [files[0]!.path, new TextEncoder().encode(JSON.stringify(config))],
        [files[1]!.path, files[1]!.bytes],
      ]),
      [given.layer.layer],
    );
  };

  it('carries the constraint, the terms and the direction', async () => {
    const { layer } = (await withConfig({})).layers[0]!;
    expect(layer).toMatchObject({ constraint: 0.25, clamp: 'peft', neumannTerms: 5, parameters: 'triangle' });
    const exact = await withConfig({ use_cayley_neumann: false, coft: false });
    expect(exact.layers[0]!.layer).toMatchObject({ constraint: 0, neumannTerms: null });
  });

  it('is optional, with a note', async () => {
    const { files } = await written();
    const read = readAdapter(new Map([[files[1]!.path, files[1]!.bytes]]), [given.layer.layer]);
    expect(read.layers[0]!.layer.neumannTerms).toBe(5);
    expect(read.notes.join()).toMatch(/no adapter_config.json.*five terms/);
  });

  it('is refused where it is wrong', async () => {
    await expect(withConfig({ eps: 'much' })).rejects.toThrow(FormatError);
    await expect(withConfig({ eps: 'much' })).rejects.toThrow(/eps is "much"/);
    await expect(withConfig({ coft: 1 })).rejects.toThrow(/coft is 1; it is true or false/);
    await expect(withConfig({ num_cayley_neumann_terms: 2.5 })).rejects.toThrow(/terms is 2.5/);
    await expect(withConfig({ peft_type: 'BOFT' })).rejects.toThrow(/type BOFT/);
  });

  it('lists whole names, or a pattern where a list would hit too much', async () => {
    const fc = testLayer('encoder.fc', 24, 8);
    const targets = async (others: (typeof fc)[]) =>
      (
        JSON.parse(text((await writeAdapter('peft', { layers: [given], others })).files[0]!.bytes)) as {
          target_modules: unknown;
        }
      ).target_modules;
    expect(await targets([testLayer('gc', 24, 8)])).toEqual(['fc']);
    expect(await targets([fc])).toBe('(fc)');
  });

  it('names embeddings that were not asked for', async () => {
    const { files } = await written();
    const embedding = testLayer('words', 100, 24, { kind: 'embedding', op: 'Gather' });
    const own = testAdapter(embedding, 3, peftSettings, random);
    const both = await writeAdapter('peft', { layers: [given, own] });
    expect(both.files[1]!.bytes.length).toBeGreaterThan(files[1]!.bytes.length);
    const all = new Map(both.files.map((f) => [f.path, f.bytes]));
    expect(readAdapter(all, [given.layer.layer, embedding]).layers).toHaveLength(2);
    const part = readAdapter(all, [given.layer.layer]);
    expect(part.unexpected).toEqual(['base_model.model.words.oft_embedding_R.weight']);
    expect(part.notes.join()).toMatch(/An adapted embedding is left out/);
  });
});
