/**
 * @file Runs before each test file in Node. Files share a process, and with it ONNX Runtime's WebAssembly, which is dear to start and to warm up; nothing else:
 * each file gets modules of its own, an empty database, and the globals as they were.
 */
import { afterAll, vi } from 'vitest';

vi.resetModules();
if ('IDBFactory' in globalThis) globalThis.indexedDB = new IDBFactory();

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
