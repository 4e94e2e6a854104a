/**
 * @file Holds a realm's workers. While the runtime's WebAssembly is compiled, its pthread workers are known to nothing but the promise that
 * waits for them, and they to it: Firefox's cycle collector takes such a ring, and the promise never settles. One first run in three hung so.
 * Their addresses are made what the page's policy takes: the runtime gives plain text.
 */
import { ownScript, type ScriptRealm } from '#src/platform/ownScript.ts';

interface WorkerRealm extends ScriptRealm {
  Worker?: typeof Worker;
}

/** Workers of this realm that were made and not terminated. */
const held = new Set<Worker>();
const keeping = new WeakSet();

/** From now on every worker that the realm makes is referenced until it is terminated. Call it before a library that makes them is loaded. */
export function keepWorkers(realm: WorkerRealm = globalThis): ReadonlySet<Worker> {
  const Original = realm.Worker;
  if (!Original || keeping.has(Original)) return held;
  class KeptWorker extends Original {
    constructor(address: string | URL, options?: WorkerOptions) {
      super(ownScript(address, realm), options);
      held.add(this);
    }
    override terminate(): void {
      held.delete(this);
      super.terminate();
    }
  }
  keeping.add(KeptWorker);
  realm.Worker = KeptWorker;
  return held;
}
