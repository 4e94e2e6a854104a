/** @file The VAE's two graphs for one picture at a size. */
import type { Graph } from '#src/graph/types.ts';
import { type Model, ModelError, type Node } from '#src/onnx/model.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { floatInput, free, needed, rank, shown, staticGraph } from './binding.ts';

/** The encoder for one picture: pixels in; parameters of the latents' distribution, or a sample of it, out. */
export interface BoundVaeEncoder {
  readonly graph: Graph;
  readonly sample: string;
  readonly output: string;
  /** parameters: means and log σ² on the channel axis. sample: mean + σ·noise, by the inputs `noise`. */
  readonly gives: 'parameters' | 'sample';
  /** Inputs of standard normal numbers that the file would draw itself; none where it draws none. */
  readonly noise: readonly string[];
  /** [channels, height, width] of the latents. */
  readonly shape: readonly [number, number, number];
}

export interface BoundVaeDecoder {
  readonly graph: Graph;
  readonly latents: string;
  readonly output: string;
}

const isRandom = (node: Node): boolean =>
  node.domain === '' && (node.op === 'RandomNormalLike' || node.op === 'RandomNormal');

/**
 * Older versions of optimum put the drawing of the sample into the file. The numbers that it draws become inputs: the same picture shall give
 * the same latents.
 */
function withNoiseInputs(model: Model, shape: readonly number[]): { model: Model; noise: string[] } {
  const noise = model.graph.nodes.filter(isRandom).map((node) => node.outputs[0]!);
  if (noise.length === 0) return { model, noise };
  const inputs = noise.map((name) => ({ name, type: 'float32' as const, shape }));
  const nodes = model.graph.nodes.filter((node) => !isRandom(node));
  return {
    model: { ...model, graph: { ...model.graph, nodes, inputs: [...model.graph.inputs, ...inputs] } },
    noise,
  };
}

/**
 * @param width,height of the picture, pixels
 * @param channels of the latents
 * @param factor pixels per latent along one side
 */
export function bindVaeEncoder(
  model: Model,
  path: string,
  size: { readonly width: number; readonly height: number },
  channels: number,
  factor: number,
): BoundVaeEncoder {
  const { width, height } = size;
  const shape = [channels, height / factor, width / factor] as const;
  const sample = needed(path, model.graph.inputs, 'sample', 'pictures', (v) => rank(v) === 4);
  const own = withNoiseInputs(model, [1, ...shape]);
  const graph = lowerGraph(staticGraph(own.model, free(sample, [1, 3, height, width])));
  floatInput(path, graph, sample.name, [1, 3, height, width]);
  const plane = shape.slice(1).join();
  const output =
    graph.outputs.find((o) => o.shape.join() === `1,${2 * channels},${plane}`) ??
    graph.outputs.find((o) => o.shape.join() === `1,${channels},${plane}`);
  if (!output)
    throw new ModelError(
      `${path} has no output of latents [1,${channels},${plane}] or of their distribution [1,${2 * channels},${plane}]: it has ${graph.outputs.map(shown).join(', ')}.`,
    );
  return {
    graph: { ...graph, outputs: [output] },
    sample: sample.name,
    output: output.name,
    gives: output.shape[1] === channels ? 'sample' : 'parameters',
    noise: own.noise,
    shape,
  };
}

/** @param shape [channels, height, width] of the latents */
export function bindVaeDecoder(
  model: Model,
  path: string,
  shape: readonly [number, number, number],
  factor: number,
): BoundVaeDecoder {
  const latents = needed(path, model.graph.inputs, 'latent_sample', 'latents', (v) => rank(v) === 4);
  const graph = lowerGraph(staticGraph(model, free(latents, [1, ...shape])));
  floatInput(path, graph, latents.name, [1, ...shape]);
  const pixels = [1, 3, shape[1] * factor, shape[2] * factor].join();
  const output = graph.outputs.find((o) => o.shape.join() === pixels);
  if (!output)
    throw new ModelError(
      `${path} has no output of pictures [${pixels}]: it has ${graph.outputs.map(shown).join(', ')}. Does its config.json belong to it?`,
    );
  return { graph: { ...graph, outputs: [output] }, latents: latents.name, output: output.name };
}
