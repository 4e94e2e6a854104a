/** @file Chooses between WebGPU and WebAssembly, and loads only the build of onnxruntime-web that is needed. */
import type * as Ort from 'onnxruntime-web';
import { takenThreads, threadsOf } from '#src/platform/threads.ts';
import { RuntimeError } from './errors.ts';
import { heap } from './heap.ts';
import { keepWorkers } from './keepWorkers.ts';
import { describeAdapter, lookForAdapter, type Prefer, wasmReason, withoutGpu } from './look.ts';
import { startRuntime } from './start.ts';
import type { Bundle, WasmPaths } from './builds.ts';
import type { BackendReport, StartSign } from './types.ts';

export interface RuntimeOptions {
  /** 'auto': WebGPU on a hardware adapter, else WebAssembly. */
  readonly prefer: Prefer;
  /** WebAssembly threads; default up to 4 where they can share memory, else 1. */
  readonly threads?: number;
  /** A sentence that goes before the reason for the backend. */
  readonly note?: string;
  /** Hears how the start goes. */
  readonly onStart?: (sign: StartSign) => void;
  /** Overrides the bundler's addresses. */
  readonly wasmPaths?: WasmPaths;
  /** A device to use instead of an own one; its owner destroys it. */
  readonly device?: GPUDevice;
}

export interface Backend {
  readonly ort: typeof Ort;
  /** Fetches and starts the WebAssembly, once: to be awaited before the first session. */
  readonly start: (signal?: AbortSignal) => Promise<void>;
  readonly report: BackendReport;
  /** null on WebAssembly. */
  readonly device: GPUDevice | null;
  readonly ownsDevice: boolean;
}

type Choice =
  | { kind: 'webgpu'; device: GPUDevice; owned: boolean; info: GPUAdapterInfo; reason: string }
  | { kind: 'wasm'; reason: string };

/** All that the adapter offers of what ONNX Runtime's kernels use. */
async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const features = (['shader-f16', 'subgroups'] as GPUFeatureName[]).filter((f) => adapter.features.has(f));
  const limits = [
    'maxBufferSize',
    'maxStorageBufferBindingSize',
    'maxStorageBuffersPerShaderStage',
    'maxComputeWorkgroupStorageSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupSizeY',
    'maxComputeWorkgroupSizeZ',
    'maxComputeWorkgroupsPerDimension',
  ] as const;
  return adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: Object.fromEntries(limits.map((l) => [l, adapter.limits[l]])),
  });
}

async function choose(options: RuntimeOptions): Promise<Choice> {
  const { prefer } = options;
  if (options.device && prefer !== 'wasm') {
    const info = options.device.adapterInfo;
    return {
      kind: 'webgpu',
      device: options.device,
      owned: false,
      info,
      reason: 'WebGPU on the given device.',
    };
  }
  try {
    const { adapter, reason } = await lookForAdapter(prefer);
    if (!adapter) return { kind: 'wasm', reason };
    return { kind: 'webgpu', device: await requestDevice(adapter), owned: true, info: adapter.info, reason };
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const why = 'its adapter gives no device';
    return { kind: 'wasm', reason: withoutGpu(prefer, why).reason };
  }
}

const loaders: Readonly<Record<Bundle, () => Promise<typeof Ort>>> = {
  jspi: () => import('onnxruntime-web/jspi'),
  webgpu: () => import('onnxruntime-web/webgpu'),
  wasm: () => import('onnxruntime-web/wasm'),
};

/** Where the bundler put a build; null outside of a browser, where the library finds its own files. */
const bundled = async (bundle: Bundle): Promise<WasmPaths | null> =>
  'location' in globalThis ? (await import('./bundles.ts')).bundledPaths[bundle] : null;

/** Decides, requests the device and loads the build. Throws RuntimeError where WebGPU was insisted on in vain. */
export async function openBackend(options: RuntimeOptions): Promise<Backend> {
  const choice = await choose(options);
  const bundle: Bundle = choice.kind === 'wasm' ? 'wasm' : 'Suspending' in WebAssembly ? 'jspi' : 'webgpu';
  keepWorkers();
  heap.begin();
  const ort = await loaders[bundle]();
  const possible = threadsOf();
  const threads = takenThreads(options.threads ?? null, possible);
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = threads;
  const paths = options.wasmPaths ?? (await bundled(bundle));
  if (paths) ort.env.wasm.wasmPaths = { mjs: paths.mjs, wasm: paths.wasm };
  const webgpu = choice.kind === 'webgpu';
  const reason = webgpu ? choice.reason : wasmReason(choice.reason, possible);
  return {
    ort,
    start: (signal) => startRuntime(ort, paths, options.onStart ?? (() => undefined), signal),
    device: webgpu ? choice.device : null,
    ownsDevice: webgpu && choice.owned,
    report: {
      kind: choice.kind,
      reason: options.note ? `${options.note} ${reason}` : reason,
      threads,
      adapter: webgpu ? describeAdapter(choice.info) : null,
    },
  };
}
