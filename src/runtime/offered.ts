/** @file How much memory a backend can use, as far as a browser tells. */
import type { OfferedMemory } from '#src/program/verdict.ts';
import type { Backend } from './backend.ts';

/** wasm32 addresses 4 GiB; the code, its stack and the model's own file take some of it. */
const WASM = 4 * 2 ** 30 - 256 * 2 ** 20;

/** GiB of the machine, rounded and capped at 8 by browsers; only some have it. */
const machine = (): number | null => {
  const gibibytes = (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory;
  return typeof gibibytes === 'number' && gibibytes > 0 ? gibibytes * 2 ** 30 : null;
};

/**
 * On the CPU the address space, or half of what the machine has. No API tells the memory of a GPU; its limits tell the largest tensor.
 */
export function offeredMemory({ device }: Pick<Backend, 'device'>): OfferedMemory {
  const whole = machine();
  if (device)
    return {
      bytes: null,
      largest: Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize),
      source: 'the GPU',
    };
  // Browsers say 8 for anything from 8 up: no limit to hold anyone to.
  if (whole !== null && whole < 8 * 2 ** 30 && whole / 2 < WASM)
    return { bytes: whole / 2, largest: null, source: 'half of this machine’s memory' };
  return { bytes: WASM, largest: null, source: 'what WebAssembly can address' };
}
