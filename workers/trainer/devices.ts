/** @file The device that stands, and how one comes to stand: beside all else that a request needs of the app's own host. */
import { within } from '#src/platform/within.ts';
import type { BackendKind, BackendReport, Runtime, StartSign } from '#src/runtime/types.ts';
import type { PrepareProgress } from '../protocol.ts';
import { Bench } from './bench.ts';
import type { FetchMeter } from './files/fetchMeter.ts';

export type CreateRuntime = (
  prefer: BackendKind | 'auto',
  onStart: (sign: StartSign) => void,
) => Promise<Runtime>;

/** Milliseconds. */
const MOMENTS = 500;

/** Bytes that came, of all that are to come. */
export type Fetched = Pick<PrepareProgress, 'done' | 'total'>;

export class Devices {
  readonly #create: CreateRuntime;
  readonly #meter: FetchMeter;
  #bench: Bench | null = null;
  #preferred: BackendKind | 'auto' = 'auto';

  constructor(create: CreateRuntime, meter: FetchMeter) {
    this.#create = create;
    this.#meter = meter;
  }

  /** What stands, if anything does. */
  get report(): BackendReport | null {
    return this.#bench?.runtime.backend ?? null;
  }

  /** What came damaged since this was last asked, and was fetched anew. */
  takeAnew(): readonly string[] {
    return this.#meter.takeAnew();
  }

  /** Why it was lost; null: it was not. */
  get lost(): string | null {
    return this.#bench?.lost ?? null;
  }

  /** The same of what was thrown just now: the browser tells of a loss some moments after calls fail by it. */
  async whyLost(): Promise<string | null> {
    const bench = this.#bench;
    if (bench?.lost === null && bench.runtime.backend.kind === 'webgpu')
      await within(MOMENTS, bench.runtime.lost, () => undefined);
    return bench?.lost ?? null;
  }

  standing(): Bench {
    if (!this.#bench) throw new Error('There is no device.');
    return this.#bench;
  }

  /** The device, or another one if another is wanted or this one was lost. Nothing said: the kind that was wanted last. */
  async get(prefer: BackendKind | 'auto' = this.#preferred): Promise<Bench> {
    const known = this.#bench;
    if (known?.lost === null && (prefer === this.#preferred || prefer === known.runtime.backend.kind))
      return known;
    this.#bench = null;
    await known?.dispose();
    const onStart = (sign: StartSign): void => {
      if (sign.kind === 'damaged') this.#meter.damaged('the part of Rotune that computes');
      if (sign.kind === 'fetching') this.#meter.came('the runtime', sign.done, sign.total);
    };
    this.#bench = new Bench(await this.#create(prefer, onStart));
    this.#preferred = prefer;
    return this.#bench;
  }

  /**
   * The device, started, while all else is fetched beside it: the runtime is the largest, and comes first.
   * @param fetch begins what else is to come
   * @param tell hears of bytes, of all of it together
   */
  async ready(
    prefer: BackendKind | 'auto',
    fetch: () => Promise<unknown>,
    signal: AbortSignal,
    tell: (progress: Fetched) => void,
  ): Promise<Bench> {
    this.#meter.begin();
    this.#meter.onChange = (done, total) => tell({ done, total });
    try {
      const opening = this.get(prefer);
      const started = opening.then(({ runtime }) => runtime.start(signal));
      const [bench] = await Promise.all([opening, started, fetch()]);
      return bench;
    } finally {
      this.#meter.onChange = null;
    }
  }
}
