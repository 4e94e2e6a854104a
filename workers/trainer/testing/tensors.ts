/** @file What a safetensors file holds, for comparison. */
import { readSafetensors } from '#src/formats/files/safetensors.ts';

/** Tensors by key, as numbers. */
export const parseSafetensors = (bytes: Uint8Array): Map<string, number[]> =>
  new Map([...readSafetensors(bytes).tensors].map(([key, t]) => [key, Array.from(t.data as Float32Array)]));
