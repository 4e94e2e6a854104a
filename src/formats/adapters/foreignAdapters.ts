/** @file Names the adapters that cannot be loaded, by their keys. */

/** What a key's end gives away. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [/\.(dora_scale|lora_magnitude_vector(\.weight)?)$/, 'a DoRA'],
  [/\.(lora_(up|down|mid|A|B)(\.[^.]+)?\.weight|lora_embedding_[AB])$|\.lora\.(up|down)\.weight$/, 'a LoRA'],
  [/\.hada_[wt]\d(_[ab])?(\.[^.]+)?$/, 'a LoHa'],
  [/\.lokr_[wt]\d(_[ab])?(\.[^.]+)?$/, 'a LoKr'],
  [/\.(a1|a2|b1|b2)\.weight$/, 'a GLoRA'],
  [/\.(on_input|ia3_l(\.[^.]+)?)$/, 'an (IA)³ adapter'],
  [/\.(vera_lambda_[bd]|vera_[AB])/, 'a VeRA'],
  [/\.boft_[Rs](\.[^.]+)?$/, "PEFT's BOFT, whose blocks lie otherwise"],
  [/\.(hra_u|oft_s)(\.[^.]+)?$/, 'an adapter of an old PEFT or HRA'],
  [/\.oft_diag$/, "an old OFT of A1111's time, which holds finished rotations"],
  [/^(emb_params|string_to_param|clip_[lg]|\*)$/, 'a textual inversion'],
  [/\.(w_norm|b_norm)$/, 'trained norms'],
];

/** Kinds that turn weights, too, but that cannot be read. */
const orthogonal = /BOFT|old OFT|HRA/;

/** What the file is, as a sentence with the way out; undefined: not known. */
export function foreignMessage(keys: readonly string[]): string | undefined {
  const kind = foreignKind(keys);
  if (kind === undefined) return undefined;
  const but = orthogonal.test(kind) ? 'which cannot be read' : 'not an orthogonal adapter';
  return `The file is ${kind} (it has ${keys.find((key) => kinds.some(([p, k]) => k === kind && p.test(key)))!}), ${but}. Merge it into the model in the tool that made it, export the model to ONNX, and open it here.`;
}

/** What the file is, as words after "it is"; undefined: not known. */
function foreignKind(keys: Iterable<string>): string | undefined {
  const votes = new Map<string, number>();
  let total = 0;
  for (const key of keys) {
    total++;
    const kind = kinds.find(([pattern]) => pattern.test(key))?.[1];
    if (kind !== undefined) votes.set(kind, (votes.get(kind) ?? 0) + 1);
  }
  // A DoRA is a LoRA with few further keys.
  const dora = [...votes].find(([kind]) => kind === 'a DoRA');
  if (dora) return dora[0];
  const best = [...votes].sort(([, a], [, b]) => b - a)[0];
  return best && best[1] * 4 >= total ? best[0] : undefined;
}
