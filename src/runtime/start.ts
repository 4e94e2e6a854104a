/** @file Gets a build of onnxruntime-web to run: its WebAssembly comes first, byte by byte, so that what follows takes the device's time alone and can be watched. */
import type * as Ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { RuntimeError } from './errors.ts';
import type { StartSign } from './types.ts';

type Tell = (sign: StartSign) => void;

/** Without a byte for so long, a connection is given up, in milliseconds. */
const SILENCE = 60_000;

/** Builds that were started in this realm: each is started once. */
const started = new WeakMap<typeof Ort, Promise<void>>();

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

/** The promise, or an error where it takes longer than SILENCE. */
async function unlessSilent<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${SILENCE / 1000} s`)), SILENCE);
  });
  try {
    return await Promise.race([work, silent]);
  } finally {
    clearTimeout(timer);
  }
}

/** The bytes at an address. Throws RuntimeError ('session') where they do not come. */
export async function fetchModule(url: string, tell: Tell): Promise<ArrayBuffer> {
  const stopping = new AbortController();
  try {
    tell({ kind: 'fetching', done: 0, total: 0 });
    const response = await unlessSilent(fetch(url, { signal: stopping.signal }));
    if (!response.ok) throw new Error(`the host answers ${response.status} ${response.statusText}`.trim());
    const total = Number(response.headers.get('content-length') ?? 0);
    const reader = response.body?.getReader();
    if (!reader) return await unlessSilent(response.arrayBuffer());
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let done = 0;
    for (;;) {
      const next = await unlessSilent(reader.read());
      if (next.done) break;
      parts.push(next.value);
      done += next.value.byteLength;
      // What is compressed on the way unpacks to more than its length says.
      tell({ kind: 'fetching', done, total: Math.max(done, total) });
    }
    return await new Blob(parts).arrayBuffer();
  } catch (cause) {
    stopping.abort();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RuntimeError(
      'session',
      `The part of Rotune that computes could not be fetched (${why}). Check the connection, then try again.`,
      { cause },
    );
  }
}

async function start(ort: typeof Ort, wasm: string | null, tell: Tell): Promise<void> {
  const { env } = ort;
  if (wasm !== null) env.wasm.wasmBinary = await fetchModule(wasm, tell);
  tell({ kind: 'starting', threads: env.wasm.numThreads ?? 1 });
  const session = await ort.InferenceSession.create(encodeGraph(smallest(), { weightsAsInputs: new Set() }), {
    executionProviders: ['wasm'],
    logSeverityLevel: 4,
  });
  await session.release();
  // It is compiled: the bytes are not needed any more.
  delete env.wasm.wasmBinary;
  tell({ kind: 'ready' });
}

/**
 * Fetches, compiles, starts the threads, opens the smallest session; a build that runs is left as it is. Where the fetching fails, the next
 * call tries again.
 * @param wasm address of the WebAssembly module; null: the library finds it by itself
 */
export function startRuntime(ort: typeof Ort, wasm: string | null, tell: Tell): Promise<void> {
  const known = started.get(ort);
  if (known) return known;
  const starting = start(ort, wasm, tell);
  started.set(ort, starting);
  starting.catch(() => started.delete(ort));
  return starting;
}
