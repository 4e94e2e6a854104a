/** @file The tensors of an adapter's file by key, as a model's layers take them: what is used, what is missing, what is left over. */
import type { Layer } from '#src/oft/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { FormatError, Misfit } from '../errors.ts';
import { type ResolvedNames, resolveNames } from './nameSchemes.ts';
import { strangersMessage } from './strangers.ts';

/** The stems of keys that end in one of the parameters. */
export const stemsIn = (keys: Iterable<string>, parameters: readonly string[]): Set<string> => {
  const stems = new Set<string>();
  for (const key of keys)
    for (const p of parameters) if (key.endsWith(`.${p}`)) stems.add(key.slice(0, -p.length - 1));
  return stems;
};

export class KeyedTensors {
  readonly names: ResolvedNames;
  /** Keys that were demanded in vain. */
  readonly missing: string[] = [];
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #used = new Set<string>();

  /**
   * @param parameters that keys end in
   * @throws FormatError where no layer is found, with an example of either side's names.
   */
  constructor(tensors: ReadonlyMap<string, Tensor>, parameters: readonly string[], layers: readonly Layer[]) {
    this.#tensors = tensors;
    this.names = resolveNames(stemsIn(tensors.keys(), parameters), layers);
    if (this.names.found > 0) return;
    if (tensors.size === 0) throw new Misfit('The adapter file holds no tensors.');
    throw new FormatError(strangersMessage([...tensors.keys()], layers, this.names.stems));
  }

  take(key: string): Tensor | undefined {
    const t = this.#tensors.get(key);
    if (t) this.#used.add(key);
    return t;
  }

  /** Takes what a complete file has. */
  demand(key: string): Tensor | undefined {
    const t = this.take(key);
    if (!t) this.missing.push(key);
    return t;
  }

  /** Keys that nothing took. */
  get unexpected(): string[] {
    return [...this.#tensors.keys()].filter((key) => !this.#used.has(key));
  }
}
