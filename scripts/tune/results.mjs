/** @file What `npm run tune` leaves in its folder: the adapter for every tool asked for, the log, and run.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../ensure.mjs';
import { PLACES } from './places.mjs';

/** @import { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts' */
/** @import { RunFolder } from './output.mjs' */
/** @import { RecordedRun } from '#src/app/page/automation.ts' */
/** @import { ExportedFile, StepRecord, Preparation } from '#workers/protocol.ts' */

/** A line of log.jsonl. @param {StepRecord} record */
export function logLine({ step, loss, learningRate, gradNorm, ms, skipped, residual }) {
  const line = {
    step,
    loss,
    learning_rate: learningRate,
    grad_norm: gradNorm,
    ms,
    ...(skipped ? { skipped } : {}),
    ...(residual === undefined ? {} : { residual }),
  };
  return `${JSON.stringify(line)}\n`;
}

/**
 * Writes an adapter in one format; archives are unpacked into a folder, which is how PEFT and ONNX Runtime want them.
 * @param {RunFolder} out
 * @param {AdapterFormat} format
 * @param {ExportedFile} file
 * @param {(zip: Uint8Array) => Promise<ReadonlyMap<string, Uint8Array>>} unzip
 * @returns what run.json says of it
 */
export async function writeAdapterFile(out, format, file, unzip) {
  const zipped = file.name.endsWith('.zip');
  const place = PLACES[format];
  /** @type {[string, Uint8Array][]} */
  const files = zipped
    ? [...(await unzip(file.bytes))].map(([path, bytes]) => [join(place.replace(/\.onnx$/, ''), path), bytes])
    : [[place, file.bytes]];
  return {
    format,
    files: files.map(([path, bytes]) => ({
      path: out.write(path.replaceAll('\\', '/'), bytes),
      bytes: bytes.length,
    })),
    layers: file.layers,
    losses: file.losses,
  };
}

/** What stands before the names of the layers that are trained, by part. @param {Preparation['planned']} planned */
function rootsOf(planned) {
  /** @type {Map<string, { part?: string, root: string, layers: number }>} */
  const roots = new Map();
  for (const { layer } of planned) {
    const root = layer.module?.root ?? '';
    if (root === '') continue;
    const key = `${layer.part ?? ''} ${root}`;
    const known = roots.get(key);
    if (known) known.layers++;
    else roots.set(key, { ...(layer.part === undefined ? {} : { part: layer.part }), root, layers: 1 });
  }
  return [...roots.values()];
}

/** @param {string} name of a package */
function packageVersion(name) {
  return JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/**
 * run.json: all that is needed to say what was done, on what, how fast and how well.
 * @param {RunFolder} out
 * @param {{ chromium: string, result: RecordedRun, changes: readonly string[], prepared: Preparation, job: object | null, seconds: number, adapters: readonly Awaited<ReturnType<typeof writeAdapterFile>>[], failed: readonly { format: AdapterFormat, reason: string }[] }} run
 */
export function writeRun(out, { chromium, result, changes, prepared, job, seconds, adapters, failed }) {
  const steady = result.history.slice(5).map(({ ms }) => ms);
  const sorted = (steady.length > 0 ? steady : result.history.map(({ ms }) => ms)).sort((a, b) => a - b);
  const largest = result.history.reduce((most, { residual }) => Math.max(most, residual ?? 0), 0);
  const report = {
    versions: {
      rotune: JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version,
      'onnxruntime-web': packageVersion('onnxruntime-web'),
      chromium,
      node: process.versions.node,
    },
    backend: result.backend,
    // What computed it, by step, and each change of that on the way: none, and it is byte for byte an uncut run's.
    means: result.means,
    changes,
    model: { hash: prepared.modelHash, bytes: prepared.modelBytes },
    job,
    // The adapter file that the run started from.
    start: prepared.adapter ?? null,
    // What it was trained on in place of its float weights: what is saved is made of those all the same.
    ...(prepared.rounded ? { quantised: prepared.rounded } : {}),
    parameters: prepared.parameters,
    plan: prepared.planned.map(
      ({ layer, rule, count, size, stages, share, stored, effective, side, algorithm }) => ({
        layer: layer.path,
        // What files call it, where that is not the path.
        ...(layer.module && layer.module.path !== layer.path ? { module: layer.module.path } : {}),
        kind: layer.kind,
        rule,
        side,
        algorithm,
        blocks: count,
        size,
        ...(stages > 1 ? { stages } : {}),
        ...(share ? { share } : {}),
        stored,
        effective,
      }),
    ),
    // Constants that were trained as a whole: a new last layer.
    whole: prepared.whole,
    // What the export put before the names of the modules, left out of adapter files.
    roots: rootsOf(prepared.planned),
    data: { examples: prepared.images, heldout: prepared.heldout, facts: prepared.preview.facts },
    // A model that speaks as a person does is to be known as one.
    ...(prepared.preview.chats?.verdict && { imitates: prepared.preview.chats.speaker }),
    outcome: result.outcome,
    steps: result.step,
    evaluations: result.evaluations,
    // Largest |CᵀC − I| as the device computes it, and the largest residual of an inverse in any step.
    orthogonality: { ...result.orthogonality, residual: largest },
    timings: { ...result.timings, medianStepMs: sorted[sorted.length >> 1] ?? null, totalSeconds: seconds },
    memory: result.memory,
    placement: result.placement,
    adapters,
    // What was asked for and could not be saved, and why.
    ...(failed.length > 0 ? { failed } : {}),
    warnings: prepared.problems,
  };
  out.write('run.json', `${JSON.stringify(report, null, 2)}\n`);
}
