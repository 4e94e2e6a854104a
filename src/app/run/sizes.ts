/** @file What a run will fetch before it begins, so that it can be said before it is asked for. */
import * as v from 'valibot';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { once } from '#src/platform/kept.ts';
import { storedPaths } from '#src/platform/stored.ts';
import type { BackendKind } from '#src/runtime/types.ts';

const bytes = v.pipe(v.number(), v.minValue(0));
/** As scripts/pack.mjs writes it into a build. */
const schema = v.object({
  runtime: v.object({ wasm: bytes, jspi: bytes, webgpu: bytes }),
  folders: v.record(v.string(), bytes),
  code: bytes,
});
type Sizes = v.InferOutput<typeof schema>;

const known = once(async () => {
  const response = await fetch(new URL('sizes.json', document.baseURI));
  return v.parse(schema, await response.json());
});

/** null while developing, when nothing is packed, and where the list cannot be had at the moment. */
const sizes = (): Promise<Sizes | null> => known().catch(() => null);

/** The built-in folders of a job: "models/emoji", "data/high-contrast". */
function foldersOf({ model, data }: Pick<Job, 'model' | 'data'>): Set<string> {
  const named = [`models/${model}`, ...[data.train, data.heldout ?? ''].map((name) => `data/${name}`)];
  return new Set(
    named.flatMap((name) => {
      const [, kind, set] = /^(models|data)\/builtin:([^/]+)/.exec(name) ?? [];
      return kind && set ? [`${kind}/${set}`] : [];
    }),
  );
}

/** Bytes that a job will fetch from the app's own host; 0: all is here. null: not known. */
export async function bytesToFetch(
  job: Pick<Job, 'model' | 'data'>,
  backend: BackendKind,
): Promise<number | null> {
  const all = await sizes();
  if (!all) return null;
  const here = await storedPaths(new URL('.', document.baseURI));
  const bundle = backend === 'wasm' ? 'wasm' : 'Suspending' in WebAssembly ? 'jspi' : 'webgpu';
  const has = (pattern: RegExp): boolean => here.some((path) => pattern.test(path));
  const names = { wasm: /threaded[^.]*\.wasm/, jspi: /\.jspi/, webgpu: /\.asyncify/ };
  const folders = [...foldersOf(job)].filter((name) => !has(new RegExp(`^${name}/.*\\.(onnx|pack|data)$`)));
  const runtime = has(new RegExp(`${names[bundle].source}.*gz$`)) ? 0 : all.runtime[bundle];
  const code = has(/trainer\.worker.*\.js$/) ? 0 : all.code;
  const rest = folders.reduce((n, name) => n + (all.folders[name] ?? 0), 0);
  return runtime + rest + code;
}
