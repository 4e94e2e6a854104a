/** @file What scripts/pack.mjs makes of a WebAssembly module, and of a file that is taken as it is. */
declare module '*?packed' {
  const module: {
    /** Relative to the chunk that imports it, or absolute. */
    readonly url: string;
    /** What is fetched there. */
    readonly bytes: number;
    /** It is compressed by gzip. */
    readonly packed: boolean;
    readonly file: { readonly sha256: string; readonly unpacked?: string } | null;
  };
  export default module;
}

declare module '*?hashed' {
  const module: {
    readonly url: string;
    readonly file: { readonly sha256: string; readonly unpacked?: string } | null;
  };
  export default module;
}
