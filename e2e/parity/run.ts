/** @file Rotune's half of the parity checks: trains every case, and opens what LyCORIS and PEFT wrote with the body of `npm run check`. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdapterFormat } from '#src/formats/adapterFormat.ts';
import type { Prefix } from '#src/formats/names.ts';
import { check } from '../../scripts/check/main.ts';
import { train } from './train.ts';

interface Cases {
  readonly train: readonly {
    readonly name: string;
    readonly net: string;
    readonly plan: readonly string[];
    readonly prefix?: Prefix;
    readonly formats: readonly AdapterFormat[];
  }[];
  readonly read: readonly { readonly name: string; readonly net: string; readonly tool: string }[];
}

/** Enough to turn every layer well beyond rounding, and to reach the constraints. */
const STEPS = 6;
const LEARNING_RATE = 0.02;

const modelOf = (work: string, net: string): string =>
  join(work, net, net === 'unet' ? 'unet/model.onnx' : 'model.onnx');

/**
 * @param work the folder that make.py filled
 * @param say told what is being done
 */
export async function run(work: string, casesFile: string, say: (text: string) => void): Promise<void> {
  const cases = JSON.parse(await readFile(casesFile, 'utf8')) as Cases;
  for (const [i, { net, plan, ...rest }] of cases.train.entries()) {
    const { losses, layers } = await train({
      ...rest,
      model: modelOf(work, net),
      batches: join(work, net, 'batches.safetensors'),
      out: join(work, 'train', String(i)),
      plan: plan.join('\n'),
      steps: STEPS,
      learningRate: LEARNING_RATE,
    });
    say(`  ${rest.name}: ${layers} layers, loss ${losses[0]!.toFixed(4)} → ${losses.at(-1)!.toFixed(4)}`);
  }
  for (const [i, { name, net, tool }] of cases.read.entries()) {
    const folder = join(work, 'read', String(i));
    await mkdir(folder, { recursive: true });
    for (const strength of ['1', '0.5']) {
      const adapter = tool === 'peft' ? folder : join(folder, 'adapter.safetensors');
      const gradients = [join(work, net, 'in.safetensors'), join(folder, `ours-${strength}.safetensors`)];
      const args = ['--adapter', adapter, '--strength', strength, '--gradients', ...gradients, '--json'];
      const said: string[] = [];
      const status = await check([modelOf(work, net), ...args], work, {
        out: () => undefined,
        err: (text) => said.push(text),
      });
      if (status !== 0) throw new Error(`${name}: npm run check refused it: ${said.join(' ')}`);
    }
    say(`  ${name}: read`);
  }
}
