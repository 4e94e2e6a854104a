/** @file Opens a backend and loads programs on it. */
import type { Program } from '#src/program/types.ts';
import { openBackend, type RuntimeOptions } from './backend.ts';
import { RuntimeError } from './errors.ts';
import { type Host, LoadedProgram } from './executable.ts';
import type { LoadExternal, Runtime } from './types.ts';
import { offeredMemory } from './offered.ts';
import { WeightStore } from './weights.ts';

/**
 * Chooses WebGPU or WebAssembly and fetches only the build that it needs.
 *
 * @throws RuntimeError ('session') if WebGPU was insisted on and is not there.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const backend = await openBackend(options);
  const weights = new WeightStore(backend);
  const programs = new Set<LoadedProgram>();
  const { device } = backend;
  let lostReason: string | undefined;
  let fault: GPUError | undefined;
  let disposed = false;

  const lost = new Promise<string>((resolve) => {
    void device?.lost.then((info) => {
      lostReason = info.message || info.reason;
      if (!disposed) resolve(lostReason);
    });
  });
  device?.addEventListener('uncapturederror', (event) => {
    fault ??= event.error;
  });

  const host: Host = {
    backend,
    weights,
    lostReason: () => lostReason,
    checkDevice() {
      if (!fault) return;
      const { message } = fault;
      const memory = typeof GPUOutOfMemoryError !== 'undefined' && fault instanceof GPUOutOfMemoryError;
      fault = undefined;
      if (memory)
        throw new RuntimeError(
          'out-of-memory',
          'The graphics memory is full. Use a smaller batch or resolution, adapt fewer layers, or close other tabs.',
        );
      throw new RuntimeError(
        'run',
        `The graphics device reports an error: ${message.split('\n')[0]!.replace(/\.$/, '')}. Choose the CPU.`,
      );
    },
  };

  return {
    backend: backend.report,
    start: (signal) => backend.start(signal),
    offered: offeredMemory(backend),
    lost,
    async load(program: Program, external?: LoadExternal) {
      if (disposed) throw new Error('This runtime was already disposed of.');
      const loaded = await LoadedProgram.load(host, program, external, (p) => programs.delete(p));
      programs.add(loaded);
      return loaded;
    },
    memory: () => ({
      weights: weights.bytes,
      state: [...programs].reduce((n, p) => n + p.stateBytes, 0),
    }),
    async dispose() {
      disposed = true;
      for (const program of [...programs]) await program.dispose();
      if (backend.ownsDevice) device?.destroy();
    },
  };
}
