/** @file The plan that the command line names, and the part of a pipeline that a model is by its folder. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { importPlan } from '#src/formats/plans/importPlan.ts';
import { defaultPlan } from '#src/formats/plans/plan.ts';
import { presetPlan } from '#src/formats/plans/presets.ts';
import { withEncoders } from '#src/oft/modules/tree.ts';
import type { Layer, Plan } from '#src/oft/types.ts';
import type { Arguments } from './arguments.ts';
import { readBytes } from './files.ts';

export interface ChosenPlan {
  readonly plan: Plan;
  /** What an import from another tool's file changed or left out. */
  readonly notes: readonly string[];
}

/** `--preset`, `--plan`, or the default. Throws FormatError for a file that is no plan. */
export async function choosePlan(args: Arguments, path: (p: string) => string): Promise<ChosenPlan> {
  const chosen = await planOf(args, path);
  const { root } = args;
  return root === undefined ? chosen : { ...chosen, plan: { ...chosen.plan, root } };
}

async function planOf(args: Arguments, path: (p: string) => string): Promise<ChosenPlan> {
  if (args.preset !== undefined) return { plan: presetPlan(args.preset), notes: [] };
  if (args.plan === undefined) return { plan: defaultPlan, notes: [] };
  const text = new TextDecoder().decode(await readBytes(path(args.plan), 'The plan'));
  return importPlan(text, basename(args.plan));
}

/** diffusers' folders whose model has layers to adapt. */
const parts =
  /^(unet|transformer(_\d)?|text_encoder(_\d)?|image_encoder|vae(_encoder|_decoder)?|controlnet|prior|decoder)$/;

/** The layers with the part that the model's folder names: `unet/model.onnx` is of the part `unet`. */
export function withPart(layers: readonly Layer[], model: string): readonly Layer[] {
  const part = basename(dirname(resolve(model)));
  if (!parts.test(part)) return layers;
  const folder = dirname(dirname(resolve(model)));
  const encoders = ['text_encoder', 'text_encoder_2', 'text_encoder_3'].filter((name) =>
    existsSync(join(folder, name)),
  );
  return withEncoders(
    layers.map((layer) => ({ ...layer, part })),
    encoders.length,
  );
}
