/** @file How large the runtime's WebAssembly memory is: it never tells, so the realm's memories are noted as they are made. */

interface MemoryRealm {
  WebAssembly: typeof WebAssembly;
}

export class HeapWatch {
  readonly #made: WeakRef<WebAssembly.Memory>[] = [];
  readonly #noted = new WeakSet();

  /** From now on every memory that the realm makes is known. Call it before the runtime is loaded. */
  begin(realm: MemoryRealm = globalThis): void {
    const Original = realm.WebAssembly.Memory;
    if (this.#noted.has(Original)) return;
    const made = this.#made;
    // What comes out is a plain memory, which workers and modules take.
    const Noted = new Proxy(Original, {
      construct(target, args: ConstructorParameters<typeof WebAssembly.Memory>) {
        const memory = new target(...args);
        made.push(new WeakRef(memory));
        return memory;
      },
    });
    this.#noted.add(Noted);
    realm.WebAssembly.Memory = Noted;
  }

  /** Bytes of all of them as they are now: they grow and never shrink. null: none was made in sight. */
  get bytes(): number | null {
    const sizes = this.#made.flatMap((ref) => ref.deref()?.buffer.byteLength ?? []);
    return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0);
  }
}

/** Of this realm. */
export const heap = new HeapWatch();
