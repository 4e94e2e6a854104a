/** @file Memories that the runtime makes are measured as they grow. */
import { expect, it } from 'vitest';
import { HeapWatch } from './heap.ts';

it('knows of memories made after it was asked to, and of their growth', () => {
  const realm = { WebAssembly: { Memory: WebAssembly.Memory } as typeof WebAssembly };
  const heap = new HeapWatch();
  expect(heap.bytes).toBeNull();
  heap.begin(realm);
  const Noted = realm.WebAssembly.Memory;
  heap.begin(realm);
  expect(realm.WebAssembly.Memory).toBe(Noted);
  const memory = new realm.WebAssembly.Memory({ initial: 2, maximum: 8 });
  expect(memory).toBeInstanceOf(WebAssembly.Memory);
  expect(memory).toBeInstanceOf(Noted);
  expect(heap.bytes).toBe(2 * 65_536);
  memory.grow(3);
  expect(heap.bytes).toBe(5 * 65_536);
});
