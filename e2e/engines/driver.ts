/** @file What a browser must be able to do for the scenarios: the one interface behind which Chromium, Firefox and WebKit are alike. */

export type EngineName = 'chromium' | 'firefox' | 'webkit';

/** Plain data, as it goes into and out of a page. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Tab {
  /** Opens an address; resolves once the document is loaded. */
  goto(url: string): Promise<void>;
  /** Calls a function in the page, by its source: it sees its arguments and the page, nothing of the test. */
  evaluate<A extends readonly Json[], R>(work: (...args: A) => R | Promise<R>, ...args: A): Promise<R>;
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** A browser with a profile of its own, which is removed with it. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  /** Where what the page saves arrives. */
  readonly downloads: string;
  newTab(): Promise<Tab>;
  close(): Promise<void>;
}
