/** @file How large the runtime's WebAssembly memory is: it never tells, so the realm's memories are noted as they are made. */

interface MemoryRealm {
  WebAssembly: typeof WebAssembly;
}

const made: WeakRef<WebAssembly.Memory>[] = [];
const noted = new WeakSet();

/** From now on every memory that the realm makes is known. Call it before the runtime is loaded. */
export function noteMemories(realm: MemoryRealm = globalThis): void {
  const Original = realm.WebAssembly.Memory;
  if (noted.has(Original)) return;
  // What comes out is a plain memory, which workers and modules take.
  const Noted = new Proxy(Original, {
    construct(target, args: ConstructorParameters<typeof WebAssembly.Memory>) {
      const memory = new target(...args);
      made.push(new WeakRef(memory));
      return memory;
    },
  });
  noted.add(Noted);
  realm.WebAssembly.Memory = Noted;
}

/** Bytes of all of them as they are now: they grow and never shrink. null: none was made in sight. */
export function heapBytes(): number | null {
  const sizes = made.flatMap((ref) => ref.deref()?.buffer.byteLength ?? []);
  return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0);
}
