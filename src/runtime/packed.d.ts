/** @file What scripts/pack.mjs makes of a WebAssembly module. */
declare module '*?packed' {
  const module: {
    /** Relative to the chunk that imports it, or absolute. */
    readonly url: string;
    /** What is fetched there. */
    readonly bytes: number;
    /** It is compressed by gzip. */
    readonly packed: boolean;
  };
  export default module;
}
