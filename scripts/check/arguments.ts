/** @file The command line of `npm run check`. */
import { PlainError } from '#src/platform/refusals.ts';
import { parseArgs } from 'node:util';
import { inputValues } from '#src/formats/jobs/inputValues.ts';
import { nearest } from '#src/formats/nearest.ts';
import type { InputValues } from '#src/onnx/givenInputs.ts';
import { isPresetName, type PresetName, presetNames } from '#src/formats/plans/presets.ts';

export const usage = `npm run check -- MODEL.onnx [options]

Prints what Rotune makes of a model, before anything is trained: opset, inputs, every layer with its rule, blocks and
parameters, totals against LoRA, warnings, which tools load the adapter, unsupported operators, and where WebGPU would
run each node.

  --bind NAME=VALUE            size of a symbolic dimension; may be repeated. A dimension without a name is INPUT.AXIS, axes
                               counted from 0: --bind x.2=48; that form also sets one axis of several that share a name
  --set NAME=VALUE             value of an input that is neither data nor a size (sr=16000, training=false, size=224,224):
                               a constant from then on; may be repeated
  --plan FILE                  which layers are adapted, and how (default: all, blocks = { dim = 4 }): a Rotune plan or
                               job, a LyCORIS preset, kohya's network_args, or PEFT's adapter_config.json
  --preset NAME                a built-in plan: ${presetNames.join(', ')}
  --root NAME                  what the export put before the names of the Python model's modules, such as unet (default:
                               found by the names; '' for nothing)
  --lora R                     the rank of the LoRA that the totals are compared with (default 16)
  --budget N                   propose a setting that stores at most N numbers; 200k and 1.5M are understood
  --adapter FILE|FOLDER        apply an adapter: LyCORIS, ComfyUI, PEFT (its folder), OneTrainer or .diff
  --strength S                 of the adapter: 0 untouched, 1 as trained (default)
  --json                       the report as JSON
  --gradients IN OUT           IN.safetensors holds input.<name> and cotangent.<output>; OUT.safetensors receives
                               output.<name>, grad.input.<name>, grad.weight.<initializer>, and with --adapter
                               grad.adapter.<key> as the file names and stores its numbers, all of L = Σ output·cotangent

Exit status: 0 fine; 2 refused, with one line "error: …" on stderr.`;

/** The command cannot be carried out as asked. */
export class UsageError extends PlainError {
  override readonly name = 'UsageError';
}

export interface Arguments {
  readonly help: boolean;
  readonly model: string;
  readonly bind: Readonly<Record<string, number>>;
  readonly set: InputValues;
  readonly plan: string | undefined;
  readonly preset: PresetName | undefined;
  readonly root: string | undefined;
  readonly lora: number;
  readonly budget: number | undefined;
  readonly adapter: string | undefined;
  readonly strength: number;
  readonly json: boolean;
  readonly gradients: { readonly from: string; readonly to: string } | undefined;
}

const options = {
  bind: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  plan: { type: 'string' },
  preset: { type: 'string' },
  root: { type: 'string' },
  lora: { type: 'string' },
  budget: { type: 'string' },
  adapter: { type: 'string' },
  strength: { type: 'string' },
  json: { type: 'boolean' },
  gradients: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** A negative number belongs to the option before it: `--strength -0.7` is `--strength=-0.7`. */
function joined(argv: readonly string[]): string[] {
  const out: string[] = [];
  for (const arg of argv) {
    const before = out.at(-1);
    const takes = before !== undefined && /^--[a-z]+$/.test(before) && isText(before.slice(2));
    if (takes && /^-(?:\d|\.\d|inf|nan)/i.test(arg)) out[out.length - 1] = `${before}=${arg}`;
    else out.push(arg);
  }
  return out;
}

const isText = (name: string): boolean =>
  Object.entries(options).some(([key, { type }]) => key === name && type === 'string');

/** Throws UsageError that names the argument and what it takes. */
export function parseArguments(argv: readonly string[]): Arguments {
  const known = Object.keys(options);
  for (const arg of argv) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new UsageError(
      `--${name} is not an option${meant ? `; did you mean --${meant}?` : '.'} See --help.`,
    );
  }
  let parsed;
  try {
    parsed = parseArgs({ args: joined(argv), options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('\n')[0]!} See --help.`);
  }
  const { values, positionals } = parsed;
  const expected = values.gradients === undefined ? 1 : 2;
  if (!values.help && positionals.length !== expected) {
    if (expected === 2)
      throw new UsageError('--gradients takes two files, IN.safetensors and OUT.safetensors.');
    throw new UsageError(
      positionals.length === 0
        ? 'No model was named. Usage: npm run check -- MODEL.onnx'
        : `One model is checked at a time, but ${positionals.length} files were named: ${positionals.join(', ')}. Name one.`,
    );
  }
  // parseArgs sees OUT as a positional: whichever follows IN.
  const out =
    argv[argv.findIndex((a) => /^--gradients(=|$)/.test(a)) + (argv.includes('--gradients') ? 2 : 1)];
  const model =
    positionals.length === 2
      ? positionals.find((_, i) => i !== positionals.lastIndexOf(out ?? ''))
      : positionals[0];
  if (values.gradients !== undefined && (out === undefined || !positionals.includes(out)))
    throw new UsageError('--gradients takes two files, one after the other: IN.safetensors OUT.safetensors.');
  const strength = Number(values.strength ?? 1);
  if (values.strength?.trim() === '' || !Number.isFinite(strength))
    throw new UsageError(`--strength ${values.strength ?? ''} is not a number. Write one, such as 0.7.`);
  if (values.plan !== undefined && values.preset !== undefined)
    throw new UsageError('--plan and --preset both say which layers are adapted; give one of them.');
  return {
    help: values.help ?? false,
    model: model ?? '',
    bind: Object.fromEntries((values.bind ?? []).map(binding)),
    set: inputValues(values.set ?? [], (text) => new UsageError(text)),
    plan: values.plan,
    preset: values.preset === undefined ? undefined : preset(values.preset),
    root: values.root,
    lora: values.lora === undefined ? 16 : rank(values.lora),
    budget: values.budget === undefined ? undefined : budget(values.budget),
    adapter: values.adapter,
    strength,
    json: values.json ?? false,
    gradients: values.gradients === undefined ? undefined : { from: values.gradients, to: out! },
  };
}

function binding(text: string): [string, number] {
  const at = text.lastIndexOf('=');
  const size = text.slice(at + 1);
  if (at < 1 || !/^\d+$/.test(size))
    throw new UsageError(`--bind ${text}: write it as NAME=VALUE, with a whole number, such as batch=1.`);
  return [text.slice(0, at), Number(size)];
}

function preset(name: string): PresetName {
  if (isPresetName(name)) return name;
  const meant = nearest(name, presetNames);
  throw new UsageError(
    `--preset ${name} is not built in${meant ? `; did you mean ${meant}?` : `; there are ${presetNames.join(', ')}.`}`,
  );
}

function rank(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--lora ${text}: a rank is a whole number from 1.`);
  return Number(text);
}

/** "250000", "250k", "1.5M". */
function budget(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)([kKmM]?)$/.exec(text);
  const unit = { '': 1, k: 1e3, m: 1e6 }[parts?.[2]?.toLowerCase() ?? ''] ?? 1;
  const numbers = Math.floor(Number(parts?.[1] ?? 0) * unit);
  if (numbers < 1)
    throw new UsageError(
      `--budget ${text}: write how many numbers may be stored, such as 200000, 200k or 1.5M.`,
    );
  return numbers;
}
