/** @file Adapter files of every kind that is written here, damaged, and tensors under the keys of other tools. */
import { readAdapter, writeAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { unpacked, zipFiles } from '#src/formats/files/zip.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { seeded, testAdapter, testLayer, testWeight } from '#src/formats/testing/adapters.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import type { FuzzKind } from '../kind.ts';

const model = [testLayer('down.0.conv1', 4, 16, { kernel: [3, 3] }), testLayer('down.0.attn.to_q', 24, 16)];

type Files = readonly { readonly path: string; readonly bytes: Uint8Array }[];

/** One of each format. */
async function written(): Promise<Files[]> {
  const random = seeded(3);
  const of = (settings: object, stages = 1) =>
    model.map((l) => testAdapter(l, 4, settings, random, { stages }));
  const output = of({ rescale: true, constraint: 0.1 });
  const input = of(peftSettings);
  const kinds = [
    ['lycoris', output],
    ['lycoris', of({ algorithm: 'boft' }, 3)],
    ['comfyui', output],
    ['peft', input],
    ['oft_r', input],
    ['diff', input],
  ] as const;
  return Promise.all(
    kinds.map(async ([format, layers]) => (await writeAdapter(format, { layers, weight: testWeight })).files),
  );
}
let sources: Promise<Files[]> | undefined;

/** Bytes changed, cut, doubled or swapped, mostly in the header, where the structure is. */
function mutated(d: Dice, bytes: Uint8Array): Uint8Array {
  let out = bytes.slice();
  for (let edits = d.whole(4); edits > 0; edits--) {
    const at = d.whole(d.chance(0.8) ? Math.min(out.length, 600) : out.length);
    const edit = d.whole(20);
    if (edit < 9) out[at] = d.whole(256);
    else if (edit < 14) out[at] = 48 + d.whole(10);
    else if (edit < 16) out = out.slice(0, at);
    else if (edit < 18) out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + 1)]);
    else out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.max(0, at - 8))]);
  }
  return out;
}

/** Tensors of any shape under keys that some tool writes. */
function foreign(d: Dice): Uint8Array {
  const ends =
    'oft_blocks oft_R.weight oft_diag alpha rescale diff lora_up.weight weight boft_R oft_u_vec'.split(' ');
  const stems = [
    'lycoris_down_0_conv1',
    'down.0.attn.to_q',
    'base_model.model.down.0.attn.to_q',
    'lora_unet_x',
    '',
  ];
  const shapes = [[2, 2, 2], [1, 3], [4], [], [2, 2, 2, 2], [16, 1, 1], [4, 6], [0], [4, 4, 4], [3, 4, 2, 2]];
  return writeSafetensors(
    new Map(
      Array.from({ length: d.whole(4) }, () => {
        const shape = d.pick(shapes);
        const values = Array.from({ length: sizeOf(shape) }, () => d.pick([0, 0.1, -1, 1e30, NaN, 4]));
        return [
          `${d.pick(stems)}.${d.pick(ends)}`,
          tensor(d.pick(['float32', 'float16'] as const), shape, values),
        ];
      }),
    ),
  );
}

/** One safetensors file, or an archive of what was more than one. */
async function adapter(d: Dice): Promise<Uint8Array> {
  if (d.chance(0.3)) return mutated(d, foreign(d));
  const files = d.pick(await (sources ??= written()));
  const changed = files.map(({ path, bytes }) => ({ path, bytes: mutated(d, bytes) }));
  if (changed.length === 1) return changed[0]!.bytes;
  const zip = await zipFiles(changed.filter(() => !d.chance(0.05)));
  return d.chance(0.3) ? mutated(d, zip) : zip;
}

export const adapters: FuzzKind = {
  ending: '.bin',
  full: 10_000,
  make: (seed) => adapter(dice(seed)),
  read: async (input) => {
    const files = await unpacked(new Map([['adapter.safetensors', input]]));
    for (const { layer, blocks } of readAdapter(files, model).layers)
      if (!(blocks instanceof Float32Array) || layer.count * layer.size !== layer.width)
        throw new Error(`The blocks of ${layer.layer.path} do not cover it.`);
    return [];
  },
};
