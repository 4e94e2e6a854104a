/** @file A stage as an onnxruntime session. */
import type * as Ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Constant } from '#src/onnx/model.ts';
import type { Stage } from '#src/program/types.ts';
import type { Backend } from './backend.ts';
import { predictedElsewhere } from './placement.ts';
import type { LoadExternal, PlacementReport } from './types.ts';
import { weightBytes } from './weights.ts';

export interface OpenStage {
  readonly session: Ort.InferenceSession;
  readonly elsewhere: PlacementReport['elsewhere'];
}

/** External constants that stay inside the session's model, read one at a time. */
async function inlined(backend: Backend, stage: Stage, external?: LoadExternal): Promise<Graph> {
  const weights = new Set(stage.weights);
  const constants = new Map<string, Constant>(stage.graph.constants);
  for (const [name, c] of constants)
    if (c.data.kind === 'external' && !weights.has(name))
      constants.set(name, {
        type: c.type,
        shape: c.shape,
        data: { kind: 'inline', bytes: await weightBytes(backend, name, c, external) },
      });
  return { ...stage.graph, constants };
}

/**
 * Creates the stage's session. On WebGPU it is first asked for with no fallback to the CPU; where that is refused, the session may fall
 * back, and the nodes concerned are reported.
 */
export async function openStage(backend: Backend, stage: Stage, external?: LoadExternal): Promise<OpenStage> {
  const model = encodeGraph(await inlined(backend, stage, external), {
    weightsAsInputs: new Set(stage.weights),
    name: stage.name,
  });
  await backend.start();
  const create = (options: Ort.InferenceSession.SessionOptions) =>
    backend.ort.InferenceSession.create(model, {
      // What 'all' adds are layouts that WebAssembly has no kernels for: it takes a third longer to create a session, which runs as fast.
      graphOptimizationLevel: backend.device ? 'all' : 'extended',
      logSeverityLevel: 3,
      ...options,
    });
  if (!backend.device) return { session: await create({ executionProviders: ['wasm'] }), elsewhere: [] };
  const gpu: Ort.InferenceSession.SessionOptions = {
    executionProviders: [
      {
        name: 'webgpu',
        // NHWC, the default, computes grouped convolutions wrongly (onnxruntime #29651).
        preferredLayout: 'NCHW',
        device: backend.device,
        // WebGPU validates by itself; onnxruntime's checks double the time of small steps.
        validationMode: 'wgpuOnly',
        // Shapes are static: exact sizes are reused from run to run, while buckets take up to twice the memory.
        storageBufferCacheMode: 'simple',
      },
    ],
    preferredOutputLocation: 'gpu-buffer',
  };
  try {
    // A refusal is an answer here, not something to log.
    const session = await create({
      ...gpu,
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    });
    return { session, elsewhere: [] };
  } catch (error) {
    if (!/fallback to CPU EP/i.test(error instanceof Error ? error.message : String(error))) throw error;
  }
  const session = await create(gpu);
  const predicted = predictedElsewhere(stage.graph);
  const unnamed = {
    node: stage.name,
    op: '?',
    device: 'CPU',
    reason: 'ONNX Runtime keeps some node of this stage on the CPU and does not say which.',
  };
  return { session, elsewhere: predicted.length > 0 ? predicted : [unnamed] };
}
