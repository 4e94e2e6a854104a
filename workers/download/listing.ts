/** @file Which files an address stands for, and how large they are. */
import * as v from 'valibot';
import { DataError } from '#src/tasks/files.ts';
import { hidden } from '../trainer/files/blobFiles.ts';
import { type Address, below } from './address.ts';
import { type Fetch, fetchText, probe, type Remote } from './fetching.ts';

export interface Listed extends Remote {
  readonly path: string;
  readonly url: string;
}

/** Where exporters put the weights of `model.onnx`: PyTorch beside it as .data, optimum as _data. */
const SIBLINGS = ['.data', '_data'];

/** Weights that are read as they are beside an ONNX file, and what models say of themselves. Not pictures, not PyTorch's own weights. */
const WANTED = /\.(onnx|data|json|txt|jinja|model)$|\.?onnx_data(_\d+)?$|^(merges|vocab)\b/i;
const README = /(^|\/)(readme|licen[cs]e)[^/]*$/i;

/** Files of a pipeline in the layout of diffusers, as optimum exports it. */
const PIPELINE = {
  model: ['model.onnx', 'model.onnx_data', 'model.onnx.data', 'config.json'],
  tokenizer: [
    'tokenizer.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
    'vocab.json',
    'merges.txt',
  ],
  scheduler: ['scheduler_config.json'],
};

const listSchema = v.object({
  files: v.array(v.object({ path: v.string(), size: v.pipe(v.number(), v.integer(), v.minValue(0)) })),
});
const treeSchema = v.array(
  v.object({
    type: v.string(),
    path: v.string(),
    size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    lfs: v.optional(v.object({ size: v.pipe(v.number(), v.integer(), v.minValue(0)) })),
  }),
);
const indexSchema = v.record(v.string(), v.unknown());

const leadsOut = (path: string): boolean =>
  path.startsWith('/') ||
  /^[a-z][a-z\d+.-]*:/i.test(path) ||
  path.includes('\\') ||
  path.split('/').includes('..');

const parsed = <T extends v.GenericSchema>(schema: T, text: string): v.InferOutput<T> | null => {
  try {
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
};

/**
 * Nothing but lists and single bytes is fetched.
 * @throws DataError where there is nothing that could be a model
 */
export function listFiles(fetcher: Fetch, address: Address, signal?: AbortSignal): Promise<Listed[]> {
  if (address.kind === 'file') return single(fetcher, address.url, address.name, signal);
  return address.kind === 'folder'
    ? folder(fetcher, address.url, signal)
    : repository(fetcher, address, signal);
}

/** Size and version of a file, or null where it is not there. */
export async function listed(
  fetcher: Fetch,
  path: string,
  url: string,
  signal?: AbortSignal,
): Promise<Listed | null> {
  const remote = await probe(fetcher, url, signal);
  return remote && { path, url, ...remote };
}

/** The address of a file beside another: queries (keys, tokens, versions) are the folder's. */
export function beside(url: string, path: string): string {
  const { search } = new URL(url);
  const to = new URL(below(url, path));
  to.search = search;
  return to.href;
}

async function single(fetcher: Fetch, url: string, name: string, signal?: AbortSignal): Promise<Listed[]> {
  const main = await listed(fetcher, name, url, signal);
  if (!main)
    throw new DataError(`There is no file at ${url} (404). Check the address; capital letters matter.`);
  if (!/\.onnx$/i.test(new URL(url).pathname)) return [main];
  const last = decodeURIComponent(new URL(url).pathname.split('/').at(-1)!);
  const siblings = await Promise.all(
    SIBLINGS.map((ending) =>
      // Many servers refuse what they do not have in other ways than by 404.
      listed(fetcher, name + ending, beside(url, last + ending), signal).catch(() => null),
    ),
  );
  return [main, ...siblings.filter((s) => s !== null)];
}

async function folder(fetcher: Fetch, url: string, signal?: AbortSignal): Promise<Listed[]> {
  const list = await fetchText(fetcher, below(url, 'files.json'), signal);
  const files = list && parsed(listSchema, list.text)?.files;
  if (files)
    return someModel(
      url,
      files
        .filter(({ path }) => !hidden(path) && !leadsOut(path))
        .map(({ path, size }) => ({ path, url: below(url, path), bytes: size, etag: null, modified: null })),
    );
  const text = await fetchText(fetcher, below(url, 'model_index.json'), signal);
  const index = text && parsed(indexSchema, text.text);
  if (!index)
    throw new DataError(
      `${url} has neither a files.json nor a model_index.json, and a web server does not list what is in a folder. Give the address of an .onnx file or a zip.`,
    );
  const paths = Object.keys(index)
    .filter((part) => /^[a-z][\w-]*$/.test(part))
    .flatMap((part) => {
      const kind = /tokenizer/.test(part) ? 'tokenizer' : part === 'scheduler' ? 'scheduler' : 'model';
      return PIPELINE[kind].map((file) => `${part}/${file}`);
    });
  // Older exports name a VAE's halves, their index only the VAE.
  const halves = ['vae_encoder', 'vae_decoder'].flatMap((part) =>
    PIPELINE.model.map((file) => `${part}/${file}`),
  );
  const all = [...new Set(['model_index.json', ...paths, ...('vae' in index ? halves : [])])];
  const found = await Promise.all(
    all.map((path) => listed(fetcher, path, below(url, path), signal).catch(() => null)),
  );
  return someModel(
    url,
    found.filter((f) => f !== null),
  );
}

/** The tree API of Hugging Face, in pages of up to 1,000 files. */
async function repository(
  fetcher: Fetch,
  { list, files: folderUrl, inside, url }: Extract<Address, { kind: 'repository' }>,
  signal?: AbortSignal,
): Promise<Listed[]> {
  const found: Listed[] = [];
  let page: string | null = list;
  for (let pages = 0; page !== null && pages < 20; pages++) {
    const answer = await fetchText(fetcher, page, signal);
    const tree = answer && parsed(treeSchema, answer.text);
    if (!tree) throw new DataError(`There is no model at ${url}. Check the address; capital letters matter.`);
    for (const { type, path, size, lfs } of tree) {
      const local = path.startsWith(inside) ? path.slice(inside.length) : path;
      if (type !== 'file' || hidden(local) || leadsOut(local)) continue;
      if (!WANTED.test(local) || README.test(local)) continue;
      const bytes = lfs?.size ?? size ?? null;
      found.push({ path: local, url: below(folderUrl, local), bytes, etag: null, modified: null });
    }
    // A next page on another host is not this list's.
    page = answer.next && new URL(answer.next).host === new URL(list).host ? answer.next : null;
  }
  return someModel(url, found);
}

function someModel(url: string, files: readonly Listed[]): Listed[] {
  if (!files.some(({ path }) => /\.onnx$/i.test(path)))
    throw new DataError(
      `There is no ONNX model at ${url}. Export it first (optimum-cli export onnx), or choose another repository.`,
    );
  return [...files];
}
