/** @file Golden files from PyTorch and LyCORIS, and how close is close enough. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { readSafetensors } from '#src/formats/files/safetensors.ts';

export const fixture = (path: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)));
export const tensors = (path: string): ReadonlyMap<string, Tensor> => readSafetensors(fixture(path)).tensors;
/** A JSON fixture of ours; the caller says what it holds. */
export const json = (path: string): unknown => JSON.parse(new TextDecoder().decode(fixture(path)));

/** One line of oft/cases.json. */
export interface OftCase {
  readonly name: string;
  readonly file: string;
  readonly kind: string;
  readonly layer: {
    readonly type: string;
    readonly in: number;
    readonly out: number;
    readonly bias: boolean;
    readonly kernel?: number | number[];
    readonly stride?: number;
    readonly padding?: number | number[];
    readonly groups?: number;
  };
  readonly options: {
    readonly clamp?: string | null;
    readonly rescaled?: boolean;
    readonly multiplier?: number;
    readonly use_cayley_neumann?: boolean;
    readonly num_cayley_neumann_terms?: number;
    readonly oft_block_size?: number;
    readonly block_share?: boolean;
    readonly coft?: boolean;
    readonly eps?: number;
  };
  /** PEFT: after snapping. */
  readonly effective?: { readonly oft_block_size: number; readonly r: number };
  readonly f32_vs_f64: Readonly<Record<string, number>>;
}

export const largest = (t: Tensor): number => numbersOf(t).reduce((m, x) => Math.max(m, Math.abs(x)), 0);

/** Asserts |got − want| ≤ allowed everywhere, with the worst place in the message. `extra`: what single numbers may be off on top. */
export function expectNear(
  what: string,
  got: Tensor,
  want: Tensor,
  allowed: number,
  extra: (i: number) => number = () => 0,
): void {
  expect(got.shape, `${what}: shape`).toEqual(want.shape);
  const [a, b] = [numbersOf(got), numbersOf(want)];
  let worst = 0;
  let at = 0;
  a.forEach((x, i) => {
    const d = Math.abs(x - b[i]!) - extra(i);
    if (!(d <= worst)) [worst, at] = [d, i];
  });
  expect(worst, `${what}: largest difference at ${at}: ${a[at]} for ${b[at]}`).toBeLessThanOrEqual(allowed);
}

/** Numbers as diffusers has them: rtol 1e-3, and atol 1e-4 of the tensor's largest entry, as its golden files state. */
export function expectAsDiffusers(what: string, data: Float32Array, want: Tensor): void {
  const numbers = numbersOf(want);
  expectNear(
    what,
    tensor('float32', want.shape, data),
    want,
    1e-4 * largest(want),
    (i) => 1e-3 * Math.abs(numbers[i]!),
  );
}

/** |got − want| ≤ atol + rtol·|want|, everywhere. */
export function expectNumbers(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  rtol: number,
  atol: number,
): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++)
    expect(Math.abs(got[i]! - want[i]!), `entry ${i}: ${got[i]} for ${want[i]}`).toBeLessThanOrEqual(
      atol + rtol * Math.abs(want[i]!),
    );
}
