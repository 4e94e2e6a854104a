/**
 * @file A UNet's layers under Stable Diffusion's original names (input_blocks, middle_block, output_blocks), and back. How many levels there are,
 * and residual blocks in each, follows from the model's own names: input block 0 is conv_in, then each level's residual blocks (each with its
 * attention) and its downsampler count one; output blocks end with a level's upsampler.
 */

/** Names of what lies inside a residual block, diffusers' first. */
const residual: readonly (readonly [string, string])[] = [
  ['conv1', 'in_layers.2'],
  ['time_emb_proj', 'emb_layers.1'],
  ['conv2', 'out_layers.3'],
  ['conv_shortcut', 'skip_connection'],
];

const outside: readonly (readonly [string, string])[] = [
  ['conv_in', 'input_blocks.0.0'],
  ['conv_out', 'out.2'],
  ['time_embedding.linear_1', 'time_embed.0'],
  ['time_embedding.linear_2', 'time_embed.2'],
  ['add_embedding.linear_1', 'label_emb.0.0'],
  ['add_embedding.linear_2', 'label_emb.0.2'],
];

/** Corresponding modules (diffusers' path, original path), whole branches by their beginning. */
type Pairs = (readonly [string, string])[];

const middle = (blocks: number): Pairs =>
  Array.from({ length: blocks }, (_, k) => [
    `mid_block.${k % 2 === 0 ? `resnets.${k / 2}` : `attentions.${(k - 1) / 2}`}`,
    `middle_block.${k}`,
  ]);

/** 1 + the largest number behind any of the beginnings. */
const countOf = (paths: readonly string[], beginning: string): number =>
  paths.reduce((n, path) => {
    if (!path.startsWith(beginning)) return n;
    const digits = /^\d+/.exec(path.slice(beginning.length))?.[0];
    return digits === undefined ? n : Math.max(n, Number(digits) + 1);
  }, 0);

const has = (paths: readonly string[], beginning: string): boolean =>
  paths.some((path) => path === beginning || path.startsWith(`${beginning}.`));

function pairsOfDiffusers(paths: readonly string[]): Pairs {
  const pairs: Pairs = [];
  let input = 1;
  for (let level = 0; level < countOf(paths, 'down_blocks.'); level++) {
    const block = `down_blocks.${level}`;
    for (let j = 0; j < countOf(paths, `${block}.resnets.`); j++, input++)
      pairs.push(
        [`${block}.resnets.${j}`, `input_blocks.${input}.0`],
        [`${block}.attentions.${j}`, `input_blocks.${input}.1`],
      );
    if (has(paths, `${block}.downsamplers.0`))
      pairs.push([`${block}.downsamplers.0.conv`, `input_blocks.${input++}.0.op`]);
  }
  let output = 0;
  for (let level = 0; level < countOf(paths, 'up_blocks.'); level++) {
    const block = `up_blocks.${level}`;
    for (let j = 0; j < countOf(paths, `${block}.resnets.`); j++, output++)
      pairs.push(
        [`${block}.resnets.${j}`, `output_blocks.${output}.0`],
        [`${block}.attentions.${j}`, `output_blocks.${output}.1`],
      );
    const place = has(paths, `${block}.attentions`) ? 2 : 1;
    pairs.push([`${block}.upsamplers.0.conv`, `output_blocks.${output - 1}.${place}.conv`]);
  }
  const resnets = countOf(paths, 'mid_block.resnets.');
  return [...pairs, ...middle(2 * resnets)];
}

function pairsOfOriginal(paths: readonly string[]): Pairs {
  const pairs: Pairs = [];
  let [level, j] = [0, 0];
  for (let input = 1; input < countOf(paths, 'input_blocks.'); input++) {
    const block = `input_blocks.${input}`;
    if (has(paths, `${block}.0.op`)) {
      pairs.push([`down_blocks.${level++}.downsamplers.0.conv`, `${block}.0.op`]);
      j = 0;
      continue;
    }
    pairs.push(
      [`down_blocks.${level}.resnets.${j}`, `${block}.0`],
      [`down_blocks.${level}.attentions.${j++}`, `${block}.1`],
    );
  }
  [level, j] = [0, 0];
  for (let output = 0; output < countOf(paths, 'output_blocks.'); output++) {
    const block = `output_blocks.${output}`;
    pairs.push([`up_blocks.${level}.resnets.${j}`, `${block}.0`]);
    const place = [1, 2].find((k) => has(paths, `${block}.${k}.conv`));
    if (place !== 1) pairs.push([`up_blocks.${level}.attentions.${j}`, `${block}.1`]);
    j++;
    if (place === undefined) continue;
    pairs.push([`up_blocks.${level++}.upsamplers.0.conv`, `${block}.${place}.conv`]);
    j = 0;
  }
  return [...pairs, ...middle(countOf(paths, 'middle_block.'))];
}

/** The other name of each path that has one, from the names of all of a UNet's layers. */
export function otherNames(
  paths: readonly string[],
  from: 'diffusers' | 'original',
): ReadonlyMap<string, string> {
  const [own, other] = from === 'diffusers' ? ([0, 1] as const) : ([1, 0] as const);
  const branches = from === 'diffusers' ? pairsOfDiffusers(paths) : pairsOfOriginal(paths);
  const whole = new Map([...outside, ...branches].map((pair) => [pair[own], pair[other]]));
  const inner = new Map(residual.map((pair) => [pair[own], pair[other]]));
  const names = new Map<string, string>();
  for (const path of paths) {
    const direct = whole.get(path);
    if (direct !== undefined) {
      names.set(path, direct);
      continue;
    }
    const parts = path.split('.');
    // The longest beginning first: output_blocks.2.1.conv lies beside output_blocks.2.1.
    for (let n = parts.length - 1; n > 0; n--) {
      const branch = whole.get(parts.slice(0, n).join('.'));
      if (branch === undefined) continue;
      const rest = parts.slice(n).join('.');
      const isResidual = /(^|\.)resnets\.\d+$/.test(
        from === 'diffusers' ? parts.slice(0, n).join('.') : branch,
      );
      const renamed = isResidual ? inner.get(rest) : rest;
      if (renamed !== undefined) names.set(path, `${branch}.${renamed}`);
      break;
    }
  }
  return names;
}
