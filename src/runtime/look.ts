/** @file Which backend this realm offers, found without a device and without a line of onnxruntime: the page's first screen asks this. */
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

/** The adapter to train on, or null for WebAssembly; and one sentence why. */
export async function lookForAdapter(
  prefer: Prefer,
): Promise<{ readonly adapter: GPUAdapter | null; readonly reason: string }> {
  if (prefer === 'wasm') return { adapter: null, reason: 'WebAssembly, as asked for.' };
  const gpu = typeof navigator === 'undefined' ? undefined : (navigator as { gpu?: GPU }).gpu;
  if (!gpu) return withoutGpu(prefer, 'this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return withoutGpu(prefer, 'WebGPU finds no graphics adapter here');
  const { info } = adapter;
  if (prefer === 'auto' && isSoftware(info))
    return withoutGpu(
      prefer,
      `the only WebGPU adapter (${describeAdapter(info)}) is emulated in software, which is slower`,
    );
  return { adapter, reason: `WebGPU on ${describeAdapter(info)}.` };
}

/** Up to four where the page is cross-origin isolated, else one. */
export function defaultThreads(): number {
  const realm = globalThis as { crossOriginIsolated?: boolean; navigator?: { hardwareConcurrency?: number } };
  return realm.crossOriginIsolated ? Math.max(1, Math.min(4, realm.navigator?.hardwareConcurrency ?? 1)) : 1;
}

/** What the runtime will most likely report once it is loaded; only an adapter that then gives no device changes it. */
export async function lookForBackend(prefer: Prefer): Promise<BackendReport> {
  const { adapter, reason } = await lookForAdapter(prefer);
  return {
    kind: adapter ? 'webgpu' : 'wasm',
    reason,
    threads: defaultThreads(),
    adapter: adapter ? describeAdapter(adapter.info) : null,
  };
}
