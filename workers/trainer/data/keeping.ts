/** @file A host that keeps what took long to make, beyond the run: shrunken pictures, and what frozen graphs made of the data. */
import type { PreparedStore } from '#src/store/prepared.ts';
import { sha256 } from '#src/tasks/digest.ts';
import { probeImage } from '#src/tasks/images/probe.ts';
import type { TaskHost, Tensors } from '#src/tasks/types.ts';

/** Pictures with so many times the wanted pixels are kept as they were cut; smaller ones are decoded as fast as they are read. */
const SHRUNK = 4;

/**
 * @param set what the data are called; null: nothing is kept (the built-in data are at hand anyway)
 */
export function keeping(host: TaskHost, store: PreparedStore, set: () => string | null): TaskHost {
  return {
    get backend() {
      return host.backend;
    },
    get memory() {
      return host.memory ?? { bytes: null, largest: null };
    },
    frozen(slot, key, graph, keepAs) {
      const run = host.frozen(slot, key, graph);
      if (keepAs === undefined) return run;
      return async (feeds) => {
        const name = set();
        if (name === null) return run(feeds);
        // Backends differ in the last digits: a resumed run must see the same ones.
        const id = await idOf(['graph', host.backend, slot, key], feeds);
        const kept = await store.get(name, id);
        if (kept?.kind === 'arrays') return kept.arrays;
        const made = await run(feeds);
        const arrays = storable(made);
        if (arrays) await store.put(name, id, { kind: 'arrays', name: keepAs, arrays });
        return made;
      };
    },
    async decodeImage(bytes, path, size) {
      const name = set();
      const from = name === null || !size ? null : probeImage(bytes);
      if (!from?.width || !from.height || from.width * from.height < SHRUNK * size!.width * size!.height)
        return host.decodeImage(bytes, path, size);
      const { width: w, height: h, fit = 'crop', shortest = 0, filter = 'bicubic' } = size!;
      // The first word changes whenever equal bytes are read as other pixels.
      const id = await idOf(['picture, stored colours', `${w}x${h} ${fit} ${shortest} ${filter}`], { bytes });
      const kept = await store.get(name!, id);
      if (kept?.kind === 'picture') return { width: kept.width, height: kept.height, rgba: opaque(kept.rgb) };
      const made = await host.decodeImage(bytes, path, size);
      const { width, height } = made;
      await store.put(name!, id, {
        kind: 'picture',
        name: path,
        width,
        height,
        rgb: withoutAlpha(made.rgba),
      });
      return made;
    },
  };
}

async function idOf(what: readonly string[], feeds: Tensors): Promise<string> {
  const digests = await Promise.all(
    Object.entries(feeds).map(
      async ([name, array]) =>
        `${name} ${await sha256(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))}`,
    ),
  );
  return sha256(new TextEncoder().encode(JSON.stringify([...what, ...digests.sort()])));
}

type Storable =
  Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** null: an element type that is not kept. */
function storable(tensors: Tensors): Record<string, Storable> | null {
  const found: Record<string, Storable> = {};
  for (const [name, array] of Object.entries(tensors)) {
    if (
      !(array instanceof Float32Array) &&
      !(array instanceof Int32Array) &&
      !(array instanceof BigInt64Array) &&
      !(array instanceof Uint8Array)
    )
      return null;
    // A copy: memory that is shared with the runtime's threads cannot be stored.
    found[name] = array.slice();
  }
  return found;
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from]!;
    rgb[to++] = rgba[from + 1]!;
    rgb[to++] = rgba[from + 2]!;
  }
  return rgb;
}

/** RGB with alpha 255. */
export function opaque(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; to++) {
    rgba[to++] = rgb[from++]!;
    rgba[to++] = rgb[from++]!;
    rgba[to++] = rgb[from++]!;
  }
  return rgba;
}
