/** @file What tasks are lent: the device that stands at the time, the decoders, the weights of the model at hand, and what is kept of the data. */
import type { LoadExternal } from '#src/runtime/types.ts';
import type { TaskHost } from '#src/tasks/types.ts';
import type { Bench } from './bench.ts';
import { keeping } from './data/keeping.ts';
import type { Devices } from './devices.ts';
import type { Environment } from './environment.ts';

export class Lent {
  readonly host: TaskHost;
  /** The same, keeping nothing beyond the moment. */
  readonly bare: TaskHost;
  /** Reads the large weights of the model at hand. */
  external: LoadExternal | undefined;
  /** What the data at hand are called, where they are to be kept. */
  keepAs: string | null = null;

  constructor(devices: Devices, { decodeImage, prepared }: Pick<Environment, 'decodeImage' | 'prepared'>) {
    const standing = (): Bench => devices.standing();
    this.bare = {
      get backend() {
        return standing().runtime.backend.kind;
      },
      get memory() {
        return standing().runtime.offered;
      },
      frozen: (slot, key, graph) => (feeds) => standing().frozen(slot, key, graph, this.external)(feeds),
      decodeImage,
    };
    this.host = prepared ? keeping(this.bare, prepared, () => this.keepAs) : this.bare;
  }
}
