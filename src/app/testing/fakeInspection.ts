/** @file What the inspector would say of a folder with a good model, one that cannot be trained, and a broken file. */
import type { InspectedModel, Inspection, Look } from '#workers/inspection/types.ts';
import type { Layer } from '#src/oft/types.ts';
import { fakeLayers } from './fakeLayers.ts';

/** A model that can be trained; `layers` all turn. */
export function fakeModel(
  path: string,
  dims: Readonly<Record<string, number>> = {},
  layers: readonly Layer[] = fakeLayers,
): InspectedModel {
  const batch = dims.batch ?? 1;
  return {
    kind: 'model',
    path,
    bytes: 12_920_538,
    external: [],
    hash: 'f00d'.repeat(16),
    producer: 'pytorch 2.15.0',
    irVersion: 8,
    opsets: [
      { domain: '', version: 17 },
      { domain: 'com.microsoft', version: 1 },
    ],
    inputs: [
      {
        name: 'sample',
        type: 'float32',
        shape: ['batch', 3, 'height', 'width'],
        bound: [batch, 3, dims.height ?? 32, dims.width ?? 32],
      },
      { name: 'timestep', type: 'int64', shape: [], bound: [] },
    ],
    outputs: [
      {
        name: 'out_sample',
        type: 'float32',
        shape: ['batch', 3, 'height', 'width'],
        bound: [batch, 3, 32, 32],
      },
    ],
    proposals: [
      {
        task: 'diffusion',
        sureness: 'likely',
        why: 'It takes a noisy picture (sample), as a network that draws does.',
      },
      {
        task: 'generic',
        sureness: 'possible',
        why: 'It turns numbers (sample, timestep) into numbers (out_sample).',
      },
    ],
    dims: (['batch', 'height', 'width'] as const).map((name, i) => ({
      name,
      kind: i === 0 ? 'batch' : 'side',
      assumed: i === 0 ? 1 : 32,
      value: dims[name] ?? (i === 0 ? 1 : 32),
      given: dims[name] !== undefined,
      uses: [{ input: 'sample', axis: i === 0 ? 0 : i + 1 }],
      why: i === 0 ? 'one at a time' : 'as its config.json says',
    })),
    operators: [
      { op: 'Conv', domain: '', count: 51, state: 'gradient' },
      { op: 'Add', domain: '', count: 44, state: 'gradient' },
      { op: 'IsNaN', domain: '', count: 2, state: 'none needed' },
    ],
    nodes: { file: 612, bound: 401 },
    weights: { numbers: 2_760_000, tensors: 214, types: [{ type: 'float32', numbers: 2_760_000 }] },
    layers: layers.map((layer) => ({ ...layer, reach: 'turns' })),
    obstacles: [],
    trainable: {
      layers: layers.length,
      words: `This model can be trained: ${layers.length} layers can turn.`,
    },
    placement: {
      of: 'step',
      nodes: 2100,
      elsewhere: [
        {
          node: '/attn/IsNaN',
          op: 'IsNaN',
          reason: 'WebGPU has no kernel for this IsNaN (float32[1,4,32,32]).',
        },
      ],
    },
    problems: [],
  };
}

const refusal = 'recurrent layers are not supported: their gradient runs through every step of the sequence.';

/** A model with an operator that is not taken. */
export const fakeRefusal = (path: string): InspectedModel => ({
  ...fakeModel(path, {}, []),
  operators: [{ op: 'GRU', domain: '', count: 1, state: 'unsupported', reason: refusal }],
  obstacles: [{ op: 'GRU', nodes: ['/gru/GRU'], blocks: true, reason: refusal }],
  nodes: { file: 18, bound: null },
  trainable: { layers: 0, words: 'This model cannot be trained: it has GRU (1 node).', cure: refusal },
  placement: null,
  problems: [{ severity: 'error', code: 'unsupported', message: 'It has GRU.' }],
});

/** A folder of three files. */
export function fakeInspection(name: string, { dims = {}, identity = false }: Look = {}): Inspection {
  return {
    name,
    bytes: 26_000_000,
    files: 5,
    pipeline: null,
    first: 'unet/model.onnx',
    models: [
      { ...fakeModel('unet/model.onnx', dims['unet/model.onnx']), ...(!identity && { hash: null }) },
      fakeRefusal('vocoder/model.onnx'),
      {
        kind: 'refused',
        path: 'broken.onnx',
        bytes: 812,
        problem: {
          code: 'bad-model',
          message: 'broken.onnx: The ONNX file is truncated or damaged.',
          item: 'broken.onnx',
        },
      },
    ],
  };
}
