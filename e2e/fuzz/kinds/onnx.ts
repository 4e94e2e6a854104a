/** @file ONNX files: models that were damaged, and single nodes whose inputs and attributes fit only by chance. */
import { encodeModel } from '#src/onnx/encode.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { dice } from '#src/tasks/testing/fuzz.ts';
import { inspect } from '#workers/inspection/inspect.ts';
import { fixture } from '../../golden/testing/fixtures.ts';
import type { FuzzKind, Said } from '../kind.ts';
import { mutations } from '../parts/models.ts';
import { oddKeys, oddNode } from '../parts/nodes.ts';
import { trainedGraph } from '../parts/trained.ts';

const small = ['zoo/mlp-ts14/model.onnx', 'oft/trajectory_mlp.onnx', 'oft/trajectory_conv.onnx'];
const large = ['zoo/vit-timm-dyn23/model.onnx', 'zoo/gpt2-past-optimum18/model.onnx'];
const kinds = Object.values(mutations);

/** What the inspector says. */
async function inspected(bytes: Uint8Array): Promise<readonly Said[]> {
  const { models } = await inspect(memoryFiles({ 'model.onnx': bytes }));
  return models.flatMap((m): readonly Said[] => (m.kind === 'refused' ? [m.problem] : m.problems));
}

export const onnx: FuzzKind = {
  ending: '.onnx',
  full: 5000,
  make: (seed) => {
    const d = dice(seed);
    if (d.chance(0.3)) return encodeModel(oddNode(d.pick(oddKeys), seed));
    // A copy: slices of Node's buffers share their bytes.
    const whole = Uint8Array.from(fixture(d.pick(d.chance(0.04) ? large : small)));
    const random = uniform(seed);
    return d.pick(kinds)(whole, random);
  },
  read: async (input) => {
    const said = await inspected(input);
    trainedGraph(input);
    return said;
  },
};
