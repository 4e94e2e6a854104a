/** @file Which Rotune this is, as known when it was built (scripts/version.mjs). */
const env = import.meta.env as Record<string, string | undefined>;

export const versions = {
  /** "0.1.0 (1a2b3c4d5e6f)", the commit where it was built from a clone. */
  rotune: env.VITE_ROTUNE ?? 'unknown',
  /** Of onnxruntime-web. */
  runtime: env.VITE_ROTUNE_RUNTIME ?? 'unknown',
  /** Address of the source, as package.json has it; '': it has none. */
  source: env.VITE_ROTUNE_SOURCE ?? '',
};
