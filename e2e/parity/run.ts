/** @file Rotune's half of the parity checks: trains every case, and opens what LyCORIS and PEFT wrote with the body of `npm run check`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type { Prefix } from '#src/formats/adapters/names.ts';
import { check } from '../../scripts/check/main.ts';
import { train } from './train.ts';

interface Cases {
  readonly train: readonly {
    readonly name: string;
    readonly net: string;
    readonly plan: readonly string[];
    readonly prefix?: Prefix;
    readonly formats: readonly AdapterFormat[];
    /** Formats that are opened again, though no other tool is at hand to say what they mean. */
    readonly reread?: readonly AdapterFormat[];
  }[];
  readonly read: readonly {
    readonly name: string;
    readonly net: string;
    readonly tool: 'lycoris' | 'peft';
    readonly options: { readonly rescaled?: boolean };
  }[];
}

/** Enough to turn every layer well beyond rounding, and to reach the constraints. An odd number: the first and the last step see one batch. */
const STEPS = 9;
const LEARNING_RATE = 0.003;

const modelOf = (work: string, net: string): string =>
  join(work, net, net === 'unet' ? 'unet/model.onnx' : 'model.onnx');

/** `npm run check -- MODEL --adapter … --gradients …`, in this process. */
async function open(
  model: string,
  adapter: string,
  strength: string,
  from: string,
  to: string,
): Promise<void> {
  const args = ['--adapter', adapter, '--strength', strength, '--gradients', from, to, '--json'];
  const said: string[] = [];
  const status = await check([model, ...args], '/', {
    out: () => undefined,
    err: (text) => said.push(text),
  });
  if (status !== 0) throw new Error(`npm run check refused ${adapter}: ${said.join(' ')}`);
}

/**
 * @param work the folder that make.py filled, absolute
 * @param say told what is being done
 */
export async function run(work: string, casesFile: string, say: (text: string) => void): Promise<void> {
  const cases = JSON.parse(await readFile(casesFile, 'utf8')) as Cases;
  const inputs = (net: string): string => join(work, net, 'in.safetensors');
  for (const [i, { net, plan, reread = [], ...rest }] of cases.train.entries()) {
    const out = join(work, 'train', String(i));
    const { losses, layers } = await train({
      ...rest,
      model: modelOf(work, net),
      batches: join(work, net, 'batches.safetensors'),
      out,
      plan: plan.join('\n'),
      steps: STEPS,
      learningRate: LEARNING_RATE,
    });
    if (!(losses.at(-1)! < losses[0]!))
      throw new Error(`${rest.name}: training raised the loss from ${losses[0]!} to ${losses.at(-1)!}.`);
    for (const format of reread) {
      const adapter = join(out, format, 'adapter.safetensors');
      await open(modelOf(work, net), adapter, '1', inputs(net), join(out, `${format}.safetensors`));
    }
    say(`  ${rest.name}: ${layers} layers, loss ${losses[0]!.toFixed(4)} → ${losses.at(-1)!.toFixed(4)}`);
  }
  for (const [i, { name, net, tool, options }] of cases.read.entries()) {
    const folder = join(work, 'read', String(i));
    const adapter = tool === 'peft' ? folder : join(folder, 'adapter.safetensors');
    // PEFT has no strength; LyCORIS 4.1.3 raises for rescaled adapters at another than 1.
    for (const strength of tool === 'peft' || options.rescaled ? ['1'] : ['1', '0.5'])
      await open(
        modelOf(work, net),
        adapter,
        strength,
        inputs(net),
        join(folder, `ours-${strength}.safetensors`),
      );
    say(`  ${tool}'s ${name}: opened`);
  }
}
