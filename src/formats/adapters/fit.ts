/** @file Whether a planned adapter can leave as a format, and what is lost on the way. */
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import { FormatError } from '../errors.ts';
import { listed } from './names.ts';

/** Something that a format cannot hold at all. */
export interface Obstacle {
  readonly reason: string;
  /** The change that helps. */
  readonly cure: string;
}

export interface Fit {
  readonly obstacles: readonly Obstacle[];
  /** Plain sentences: what the file cannot carry, or what its readers do otherwise. */
  readonly losses: readonly string[];
}

/** Layers for a sentence: "layer a", "3 layers (a, b and 1 more)". */
export const named = (layers: readonly PlannedLayer[]): string => {
  const own = layers.map((p) => p.layer);
  return own.length === 1 ? `layer ${own[0]!.path}` : `${own.length} layers (${listed(own)})`;
};

/** Collects sentences about those layers that a condition holds for. */
export class FitBuilder {
  readonly obstacles: Obstacle[] = [];
  readonly losses: string[] = [];
  constructor(readonly planned: readonly PlannedLayer[]) {}

  obstacle(holds: (p: PlannedLayer) => boolean, reason: (which: string) => string, cure: string): this {
    const hit = this.planned.filter(holds);
    if (hit.length > 0) this.obstacles.push({ reason: reason(named(hit)), cure });
    return this;
  }

  loss(holds: (p: PlannedLayer) => boolean, sentence: (which: string) => string): this {
    const hit = this.planned.filter(holds);
    if (hit.length > 0) this.losses.push(sentence(named(hit)));
    return this;
  }
}

/** Throws the first obstacle as a FormatError. */
export function demandFit({ obstacles }: Fit): void {
  const first = obstacles[0];
  if (first) throw new FormatError(`${first.reason} ${first.cure}`);
}

export const anywhere =
  'Save it as whole weight differences (.diff) or as a merged ONNX model, which hold any adapter.';

/** The product of a kernel's sides; 1 for linear layers. */
export const kernelSize = (layer: Layer): number => layer.kernel.reduce((p, k) => p * k, 1);
