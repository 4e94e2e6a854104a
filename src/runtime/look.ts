/** @file Which backend this realm offers, found without a device and without a line of onnxruntime: the page's first screen asks this. */
import { takenThreads, type Threads, threadsOf } from '#src/platform/threads.ts';
import { within } from '#src/platform/within.ts';
import { RuntimeError } from './errors.ts';
import type { BackendReport } from './types.ts';

export type Prefer = 'auto' | 'webgpu' | 'wasm';

export const describeAdapter = (info: GPUAdapterInfo): string =>
  info.description ||
  [info.vendor, info.architecture || info.device].filter(Boolean).join(' ') ||
  'unnamed GPU';

const isSoftware = (info: GPUAdapterInfo): boolean =>
  info.isFallbackAdapter ||
  /swiftshader|llvmpipe|basic render/i.test(`${info.architecture} ${info.description}`);

/** WebAssembly for the reason given, unless WebGPU was insisted on: then RuntimeError. */
export function withoutGpu(prefer: Prefer, why: string): { readonly adapter: null; readonly reason: string } {
  if (prefer === 'webgpu')
    throw new RuntimeError('session', `WebGPU was asked for, but ${why}. Choose “auto” or WebAssembly.`);
  return { adapter: null, reason: `WebAssembly, because ${why}.` };
}

/** Browsers hide WebGPU from pages over plain http. */
const noGpu = (): string =>
  (globalThis as { isSecureContext?: boolean }).isSecureContext === false
    ? 'browsers offer WebGPU to no page over plain http'
    : 'this browser has no WebGPU';

/** The longest that a driver is waited for, in milliseconds; whole ones answer within a second or two. */
const PATIENCE = 10_000;

/** The adapter to train on, or null for WebAssembly; and one sentence why. */
export async function lookForAdapter(
  prefer: Prefer,
): Promise<{ readonly adapter: GPUAdapter | null; readonly reason: string }> {
  if (prefer === 'wasm') return { adapter: null, reason: 'WebAssembly, as asked for.' };
  const gpu = typeof navigator === 'undefined' ? undefined : (navigator as { gpu?: GPU }).gpu;
  if (!gpu) return withoutGpu(prefer, noGpu());
  const adapter = await within(
    PATIENCE,
    gpu.requestAdapter({ powerPreference: 'high-performance' }),
    () => 'silent' as const,
  );
  if (adapter === 'silent') return withoutGpu(prefer, 'the graphics driver does not answer');
  if (!adapter) return withoutGpu(prefer, 'WebGPU finds no graphics adapter here');
  const { info } = adapter;
  if (prefer === 'auto' && isSoftware(info))
    return withoutGpu(
      prefer,
      `the only WebGPU adapter (${describeAdapter(info)}) is emulated in software, which is slower`,
    );
  return { adapter, reason: `WebGPU on ${describeAdapter(info)}.` };
}

/** Why WebAssembly, and where it has one thread alone, why that. */
export function wasmReason(reason: string, { because }: Threads): string {
  return because === null ? reason : `${reason} One thread, which is slower: ${because}.`;
}

/**
 * What the runtime will most likely report once it is loaded; only an adapter that then gives no device changes it.
 * @param asked threads; null: as many as help
 */
export async function lookForBackend(prefer: Prefer, asked: number | null = null): Promise<BackendReport> {
  const { adapter, reason } = await lookForAdapter(prefer);
  const possible = threadsOf();
  return {
    kind: adapter ? 'webgpu' : 'wasm',
    reason: adapter ? reason : wasmReason(reason, possible),
    threads: takenThreads(asked, possible),
    adapter: adapter ? describeAdapter(adapter.info) : null,
  };
}
