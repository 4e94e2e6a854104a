/** @file The metadata that kohya's trainers and LyCORIS put into a safetensors file. */
import type { Tensor } from '#src/onnx/tensor.ts';
import { sha256 } from '#src/platform/sha256.ts';
import type { Prefix } from '../names.ts';

export interface LycorisMeta {
  readonly prefix?: Prefix;
  /** What was asked as `lora_dim`; without it, the largest block size. */
  readonly dim?: number;
  /** SHA-256 of the model's file, in hexadecimal. */
  readonly modelHash?: string;
  /** `ss_base_model_version`: what the adapter was made for. */
  readonly baseModel?: string;
  /** The job as text, so that the file says how it was made. */
  readonly job?: string;
}

/**
 * `sshs_model_hash` is LyCORIS's: SHA-256 over the tensors' bytes in the order given.
 */
export async function kohyaMetadata(
  tensors: Iterable<Tensor>,
  meta: LycorisMeta,
  network: {
    readonly module: string;
    readonly dim: number;
    readonly args: Readonly<Record<string, string>>;
  },
): Promise<Map<string, string>> {
  const metadata = new Map<string, string>();
  if (meta.job !== undefined) metadata.set('rotune_job', meta.job);
  if (meta.modelHash !== undefined) metadata.set('rotune_model_sha256', meta.modelHash);
  if (meta.baseModel !== undefined) metadata.set('ss_base_model_version', meta.baseModel);
  // Diag-OFT has no LoRA alpha; 1 is what kohya records where none was set.
  metadata.set('ss_network_alpha', '1');
  metadata.set('ss_network_args', pythonJson(network.args));
  metadata.set('ss_network_dim', String(meta.dim ?? network.dim));
  metadata.set('ss_network_module', network.module);
  metadata.set('sshs_model_hash', await tensorHash(tensors));
  return metadata;
}

/** As Python's json.dumps spaces it. */
const pythonJson = (args: Readonly<Record<string, string>>): string =>
  `{${Object.entries(args)
    .map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}`)
    .join(', ')}}`;

/** LyCORIS's `precalculate_safetensors_hashes`. */
async function tensorHash(tensors: Iterable<Tensor>): Promise<string> {
  const parts = [...tensors].map((t) => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength));
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return `0x${await sha256(all)}`;
}
