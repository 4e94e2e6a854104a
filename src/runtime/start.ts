/** @file Gets a build of onnxruntime-web to run: its WebAssembly comes first, byte by byte, so that what follows takes the device's time alone and can be watched. */
import { pulse, UNTIMED } from '#src/platform/pulse.ts';
import type * as Ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { Kept } from '#src/platform/kept.ts';
import { fetchFailure, fetchOwn } from '#src/platform/ownFile.ts';
import type { WasmPaths } from './builds.ts';
import { isOutOfMemory, RuntimeError, runtimeError } from './errors.ts';
import type { StartSign } from './types.ts';

type Tell = (sign: StartSign) => void;

/** Builds that were started in this realm: each is started once. */
const started = new Kept<typeof Ort, void>(new WeakMap());

/** y = x of one number: the least that makes the runtime compile, and start its threads. */
function smallest(): Graph {
  const x: Value = { name: 'x', type: 'float32', shape: [1] };
  const y: Value = { ...x, name: 'y' };
  return {
    inputs: [x],
    outputs: [y],
    nodes: [{ name: 'same', op: 'Identity', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
    constants: new Map(),
    values: new Map([x, y].map((value) => [value.name, value])),
  };
}

/** A module at its address, and beside it its glue code, so that the runtime finds that whole in the browser's cache. Throws RuntimeError ('session'). */
export async function fetchModule(
  { mjs, wasm, bytes = 0, packed, files }: WasmPaths,
  tell: Tell,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  try {
    tell({ kind: 'fetching', done: 0, total: bytes });
    const onBytes = (done: number, total: number): void =>
      tell({ kind: 'fetching', done, total: Math.max(done, total || bytes) });
    const onDamaged = (): void => tell({ kind: 'damaged' });
    const [file] = await Promise.all([
      fetchOwn(wasm, files?.wasm ?? null, { onBytes, onDamaged, signal }),
      files?.mjs && fetchOwn(mjs, files.mjs, { onDamaged, signal }),
    ]);
    // A host may have unpacked it on the way.
    const begins = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    const gzip = packed && begins[0] === 0x1f && begins[1] === 0x8b;
    const plain = gzip ? new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))) : file;
    return await plain.arrayBuffer();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RuntimeError('session', fetchFailure('The part of Rotune that computes', cause), { cause });
  }
}

async function start(
  ort: typeof Ort,
  paths: WasmPaths | null,
  tell: Tell,
  signal?: AbortSignal,
): Promise<void> {
  const { env } = ort;
  if (paths !== null) env.wasm.wasmBinary = await fetchModule(paths, tell, signal);
  tell({ kind: 'starting', threads: env.wasm.numThreads ?? 1 });
  try {
    const model = encodeGraph(smallest(), { weightsAsInputs: new Set() });
    const options = { executionProviders: ['wasm'], logSeverityLevel: 4 } as const;
    const session = await pulse.during(UNTIMED, () => ort.InferenceSession.create(model, options));
    await session.release();
  } catch (cause) {
    // The library remembers the failure for as long as this realm lives.
    tell({ kind: 'failed' });
    if (isOutOfMemory(cause)) throw runtimeError(cause, 'session', 'The part of Rotune that computes');
    throw new RuntimeError(
      'session',
      'The part of Rotune that computes could not be started. Try again; if it happens again, choose one thread (?threads=1 behind the address), or another browser.',
      { cause },
    );
  }
  // It is compiled: the bytes are not needed any more.
  delete env.wasm.wasmBinary;
  tell({ kind: 'ready' });
}

/**
 * Fetches, compiles, starts the threads, opens the smallest session; a build that runs is left as it is. Where the fetching fails, the next
 * call tries again.
 * @param paths where the WebAssembly module is; null: the library finds it by itself
 */
export function startRuntime(
  ort: typeof Ort,
  paths: WasmPaths | null,
  tell: Tell,
  signal?: AbortSignal,
): Promise<void> {
  return started.get(ort, () => start(ort, paths, tell, signal));
}
