/** @file An inspection in a few words: summaries of its sections, shapes, states. */
import type {
  InspectedFile,
  InspectedLayer,
  InspectedModel,
  InspectedOperator,
  InspectedPlacement,
  InspectedTensor,
} from '#workers/inspection/types.ts';
import type { Proposal } from '#src/tasks/recognition/types.ts';
import { count, plural } from '../words/format.ts';

/** "1 × 3 × 32 × 32"; a scalar has no axes. */
export function shapeText(shape: InspectedTensor['shape']): string {
  if (shape === null) return 'any shape';
  return shape.length === 0 ? 'one number' : shape.map((d) => d ?? '?').join(' × ');
}

export const surenessWords: Record<Proposal['sureness'], string> = {
  certain: 'as its files say',
  likely: 'very likely',
  possible: 'possible',
};

export const states: Record<InspectedOperator['state'], string> = {
  gradient: 'a gradient passes',
  'none needed': 'needs none',
  'no gradient': 'no gradient passes',
  unsupported: 'not supported',
};

export const reaches: Record<InspectedLayer['reach'], string> = {
  turns: 'can turn',
  blocked: 'behind an obstacle',
  'cut off': 'no gradient arrives',
};

/** "unet" of "unet/model.onnx" where the folder tells files apart, else the path. */
export const tabName = (path: string): string => /^(.+)\/model\.onnx$/i.exec(path)?.[1] ?? path;

export const canTrain = (file: InspectedFile | null): boolean =>
  file?.kind === 'model' && file.trainable.layers > 0;

/** "pytorch 2.15.0 · opset 17, com.microsoft 1 · 12.9 MB" without the size. */
export function originLine({ producer, opsets }: InspectedModel): string {
  const versions = opsets
    .toSorted((a, b) => (a.domain < b.domain ? -1 : 1))
    .map(({ domain, version }) => (domain === '' ? `opset ${version}` : `${domain} ${version}`));
  return [producer || 'unknown exporter', versions.join(', ')].filter(Boolean).join(' · ');
}

export function inputsLine({ inputs, outputs }: InspectedModel): string {
  const names = (list: readonly InspectedTensor[]): string =>
    list.length <= 3
      ? list.map((v) => v.name).join(', ') || 'nothing'
      : `${list[0]!.name}, ${list[1]!.name} and ${list.length - 2} more`;
  return `${names(inputs)} → ${names(outputs)}`;
}

export function layersLine(layers: readonly InspectedLayer[]): string {
  if (layers.length === 0) return 'none found';
  const linear = layers.filter((l) => l.kind === 'linear').length;
  const conv = layers.length - linear;
  const kinds = [linear > 0 && `${linear} linear`, conv > 0 && plural(conv, 'convolution')].filter(Boolean);
  return `${plural(layers.length, 'layer')}: ${kinds.join(', ')}`;
}

export function operatorsLine({ operators, nodes }: InspectedModel): string {
  const bad = operators.filter((o) => o.state === 'unsupported').length;
  return `${plural(operators.length, 'kind')}, ${count(nodes.file)} nodes${bad > 0 ? `; ${bad} not supported` : ''}`;
}

/** What was looked at: a training step, or the model by itself. */
const looked = (of: InspectedPlacement['of']): string =>
  of === 'step' ? 'of a training step' : 'of the model';

export function placementLine(placement: InspectedPlacement | null): string {
  if (!placement) return 'not known: the model could not be bound';
  const { nodes, elsewhere, of } = placement;
  if (elsewhere.length === 0) return `all ${count(nodes)} nodes ${looked(of)} run on the GPU`;
  return `${count(elsewhere.length)} of ${count(nodes)} nodes ${looked(of)} would run on the CPU`;
}

/** The type that most weights have, and that there are others. */
export function typesText({ types }: InspectedModel['weights']): string {
  const [first, ...rest] = types;
  if (!first) return 'none';
  return rest.length === 0 ? first.type : `${first.type} and ${rest.map((t) => t.type).join(', ')}`;
}

/** Where the weights are. */
export function weightFiles({ external }: Pick<InspectedModel, 'external'>): string {
  const [first, ...more] = external;
  if (!first) return 'in one file';
  if (external.some((e) => e.bytes === null)) return 'without the missing weights';
  return more.length === 0
    ? `with ${first.path.slice(first.path.lastIndexOf('/') + 1)}`
    : `with ${count(external.length)} files of weights`;
}

/** "input_ids, axis 1; attention_mask, axis 1" */
export const usesText = (uses: readonly { readonly input: string; readonly axis: number }[]): string => {
  const shown = uses.slice(0, 2).map(({ input, axis }) => `${input}, axis ${axis}`);
  return [...shown, ...(uses.length > 2 ? [`${uses.length - 2} more`] : [])].join('; ');
};
