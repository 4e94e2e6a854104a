/** @file Where the parts of a model lie: in folders as diffusers and optimum write them, or as single files side by side. */
import { notJson } from '#src/platform/sniff.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { bytesBeside } from '#src/tasks/textFiles.ts';

/** The ONNX files of a pipeline, by the names of diffusers. */
export const onnxParts = ['unet', 'text_encoder', 'text_encoder_2', 'vae_encoder', 'vae_decoder'] as const;
export type OnnxPart = (typeof onnxParts)[number];

/** Paths in the FileSet, looked up below one root. */
export class Parts {
  readonly root: string;
  readonly #files: FileSet;
  readonly #has: ReadonlySet<string>;

  /** Throws DataError where the set holds no model, or several. */
  constructor(files: FileSet) {
    this.#files = files;
    this.#has = new Set(files.paths);
    this.root = rootOf(files);
  }

  has(path: string): boolean {
    return this.#has.has(this.root + path);
  }

  /** The first of these paths that is there. */
  first(...paths: readonly string[]): string | null {
    const found = paths.find((path) => this.has(path));
    return found === undefined ? null : this.root + found;
  }

  /** `unet/model.onnx`, else the only ONNX file in `unet/`, else `unet.onnx` or `unet_model.onnx`. */
  onnx(part: OnnxPart): string | null {
    const usual = this.first(`${part}/model.onnx`);
    if (usual !== null) return usual;
    const inside = this.#files.paths.filter(
      (p) => p.startsWith(`${this.root}${part}/`) && p.endsWith('.onnx'),
    );
    if (inside.length > 1)
      throw new DataError(
        `${this.root}${part}/ holds ${inside.length} ONNX files, none of them named model.onnx. Rename the one to use.`,
      );
    return inside[0] ?? this.first(`${part}.onnx`, `${part}_model.onnx`, `${part}/${part}.onnx`);
  }

  /** The part's config.json, in its folder or beside the single files. */
  config(part: OnnxPart | 'vae'): string | null {
    return this.first(`${part}/config.json`, `${part}_config.json`, `${part}.json`);
  }
}

/** The folder that holds the parts: that of model_index.json, else that of the UNet's file or folder. At most one level down. */
function rootOf(files: FileSet): string {
  const marks = [
    /^([^/]+\/)?model_index\.json$/,
    /^([^/]+\/)?unet\/[^/]+\.onnx$/,
    /^([^/]+\/)?unet(_model)?\.onnx$/,
  ];
  for (const mark of marks)
    for (const path of files.paths) {
      const found = mark.exec(path);
      if (found) return found[1] ?? '';
    }
  throw new DataError(
    `${files.name} has no model_index.json and no unet. Choose the folder of a diffusers model exported to ONNX: it holds model_index.json, unet/, text_encoder/, scheduler/ and tokenizer/.`,
  );
}

/** Python's json writes -Infinity and NaN, which JSON does not have: they are read as null. */
const withoutInfinities = (text: string): string =>
  text.replace(/([:[,]\s*)(?:-?Infinity|NaN)(?=\s*[,\]}])/g, '$1null');

/** Throws DataError that names the file. */
export async function readJson(files: FileSet, path: string): Promise<unknown> {
  const bytes = await bytesBeside(files, path);
  const text = new TextDecoder().decode(bytes).replace(/^\uFEFF/, '');
  try {
    return JSON.parse(withoutInfinities(text));
  } catch {
    throw new DataError(...notJson(path, bytes, 'Copy it from the original model.'));
  }
}
