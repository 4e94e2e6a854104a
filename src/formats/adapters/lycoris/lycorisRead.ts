/** @file Reads Diag-OFT and BOFT adapters of LyCORIS, ComfyUI and kohya: `.oft_blocks`, `.rescale`, `.alpha`. */
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import type { Layer } from '#src/oft/types.ts';
import { numbersOf, sizeOf, type Tensor } from '#src/onnx/tensor.ts';
import { fromButterfly } from './butterfly.ts';
import { FormatError, Misfit } from '../../errors.ts';
import { toFloat32 } from '../../files/floats.ts';
import { KeyedTensors } from '../keyedTensors.ts';
import { listed } from '../names.ts';
import { joinParts } from '../kohya/splitBlocks.ts';
import { readSafetensors, type Safetensors } from '../../files/safetensors.ts';

export interface LycorisFile {
  /** What stands before the module paths. */
  readonly prefix: string;
  /** In the order of the layers asked for; those that the file lacks are left out. Block layout and constraint are the file's. */
  readonly layers: readonly LayerParameters[];
  /** Keys that a complete file would have. */
  readonly missing: readonly string[];
  /** Keys that belong to no layer of this model. */
  readonly unexpected: readonly string[];
  /** What other tools read otherwise. */
  readonly notes: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a file for a model's layers, as LyCORIS reads it. The names' scheme is found from the keys. BOFT of which only the first stage
 * turns is read as the Diag-OFT that it is: ComfyUI's re-encoding of rescaled ones, and ours of those that LyCORIS could not reload.
 *
 * @throws FormatError where the file is damaged, holds another kind of adapter, fits no layer at all, or a shape does not fit.
 */
export function readLycoris(file: Uint8Array | Safetensors, layers: readonly Layer[]): LycorisFile {
  const { tensors: stored, metadata } = file instanceof Uint8Array ? readSafetensors(file) : file;
  const { tensors, baked, notes: joined } = joinParts(stored);
  const keyed = new KeyedTensors(tensors, ['oft_blocks', 'alpha', 'rescale'], layers);
  const { names } = keyed;
  const boftNetwork = /"algo": *"boft"/.test(metadata.get('ss_network_args') ?? '');
  const found: LayerParameters[] = [];
  const reencoded: Layer[] = [];
  const clamped: Layer[] = [];
  const free: Layer[] = [];
  for (const [layer, stem] of names.stems) {
    const alpha = keyed.demand(`${stem}.alpha`);
    const blocks = keyed.demand(`${stem}.oft_blocks`);
    const rescale = keyed.take(`${stem}.rescale`);
    if (!blocks) {
      if (rescale || alpha)
        throw new Misfit(
          `${stem} has ${alpha ? '.alpha' : '.rescale'} but no .oft_blocks: it is not a Diag-OFT or BOFT adapter.`,
        );
      continue;
    }
    if (blocks.shape.length === 4 && blocks.shape[0] === 1 && blocks.shape[1]! > 1) reencoded.push(layer);
    const own = parameters(stem, layer, blocks, alpha, rescale, boftNetwork);
    if (own.layer.constraint > 0) clamped.push(layer);
    else if (!baked.has(stem)) free.push(layer);
    found.push(own);
  }
  const notes: string[] = [...joined];
  if (reencoded.length > 0)
    notes.push(
      `${listed(reencoded)}: one BOFT stage is read as the Diag-OFT that it stands for, as ComfyUI and A1111 apply it. LyCORIS would repeat it in every stage.`,
    );
  if (clamped.length > 0)
    notes.push(
      `${listed(clamped)}: alpha is a constraint on ‖Q‖ of alpha × outputs, as LyCORIS, A1111 and kohya read it; ComfyUI takes alpha itself as the limit and would turn less.`,
    );
  if (names.prefix.startsWith('oft_') && free.length > 0)
    notes.push("alpha is 0: read as no constraint; kohya's own loader would make the adapter do nothing.");
  return {
    prefix: names.prefix,
    layers: found,
    missing: keyed.missing,
    unexpected: keyed.unexpected,
    notes,
    metadata,
  };
}

/** Checks shapes that LyCORIS itself would broadcast in silence, and makes numbers of the tensors. */
function parameters(
  stem: string,
  layer: Layer,
  tensor: Tensor,
  alpha: Tensor | undefined,
  rescale: Tensor | undefined,
  boftNetwork: boolean,
): LayerParameters {
  const boft = tensor.shape.length === 4;
  const [n = 0, b = 0, c] = boft ? tensor.shape.slice(1) : tensor.shape;
  const stages = boft ? tensor.shape[0]! : 1;
  if ((!boft && tensor.shape.length !== 3) || b !== c || n * b !== layer.out || stages === 0)
    throw new Misfit(
      `${stem}.oft_blocks has shape [${tensor.shape.join()}], but ${layer.path} has ${layer.out} outputs: it takes [n,b,b] or [m,n,b,b] with n·b = ${layer.out}.`,
    );
  if (boft && b % 2 !== 0)
    throw new Misfit(
      `${stem}.oft_blocks has shape [${tensor.shape.join()}]: BOFT needs blocks of an even size, not ${b}.`,
    );
  if (boft && n % 2 ** (stages - 1) !== 0)
    throw new Misfit(
      `${stem}.oft_blocks has shape [${tensor.shape.join()}]: ${n} blocks have no ${stages} BOFT stages, since each stage after the first pairs twice as many.`,
    );
  if (rescale && (rescale.shape[0] !== layer.out || sizeOf(rescale.shape) !== layer.out))
    throw new Misfit(
      `${stem}.rescale has shape [${rescale.shape.join()}], but ${layer.path} has ${layer.out} outputs.`,
    );
  const constraint = alpha ? scalarOf(alpha, `${stem}.alpha`) : 0;
  if (!(constraint >= 0 && Number.isFinite(constraint)))
    throw new FormatError(`${stem}.alpha is ${constraint}; it takes 0 (no constraint) or a positive number.`);
  const numbers = toFloat32(tensor, `${stem}.oft_blocks`);
  const turning = boft ? turningStages(numbers, stages) : 1;
  const asDiag = boft && turning === 1 && (n > 1 || !boftNetwork);
  const planned = plannedLayer(
    layer,
    {
      ...defaultSettings,
      algorithm: boft && !asDiag ? 'boft' : 'diag',
      blocks: boft && !asDiag ? { size: b, stages: turning } : { size: b },
      constraint,
      rescale: rescale !== undefined,
    },
    { count: n, size: b, stages: turning },
  );
  const kept = numbers.subarray(0, turning * n * b * b);
  return {
    layer: planned,
    blocks: asDiag ? fromButterfly(kept, n, b) : kept,
    ...(rescale && { rescale: toFloat32(rescale, `${stem}.rescale`) }),
  };
}

/** Stages up to the last that turns anything: a zero stage is the identity, and nothing trained stays zero. All, where none does. */
function turningStages(blocks: Float32Array, stages: number): number {
  const one = blocks.length / stages;
  let last = stages;
  while (last > 0 && blocks.subarray((last - 1) * one, last * one).every((x) => x === 0)) last--;
  return last === 0 ? stages : last;
}

/** The one number of a scalar tensor, integers included. */
export function scalarOf(t: Tensor, name: string): number {
  if (sizeOf(t.shape) !== 1)
    throw new Misfit(`${name} has shape [${t.shape.join()}]; it is a single number.`);
  return /^u?int/.test(t.type) ? numbersOf(t)[0]! : toFloat32(t, name)[0]!;
}
