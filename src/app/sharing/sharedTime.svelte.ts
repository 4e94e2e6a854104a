/** @file How long a shared job takes here: a few steps are timed by themselves where nothing need be fetched for that; until then it is estimated. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendKind } from '#src/runtime/types.ts';
import type { Trainer } from '../worker/client.ts';
import { NOTHING, requestOf } from '../worker/request.ts';
import { estimateSeconds } from '../run/estimate.ts';
import type { Device } from '../run/device.svelte.ts';
import { duration, roughly } from '../words/format.ts';

/** What the timing needs of the page. */
export interface SharedTimeHost {
  readonly trainer: Pick<Trainer, 'prepare' | 'cancelPreparation'>;
  readonly device: Device;
  /** The model whose cost is known beforehand. */
  readonly knownModel: string;
  /** Bytes that a job fetches; null: not known. */
  readonly cost: (job: Job, backend: BackendKind) => Promise<number | null>;
  /** Nothing else uses the device. */
  readonly idle: () => boolean;
}

export class SharedTime {
  readonly #host: SharedTimeHost;
  /** The job that was asked about last: once is enough. */
  #asked: Job | null = null;
  #measuring = $state(false);
  #measured = $state.raw<{ readonly job: Job; readonly seconds: number } | null>(null);

  constructor(host: SharedTimeHost) {
    this.#host = host;
  }

  /** A few steps are being timed. */
  get measuring() {
    return this.#measuring;
  }

  /** "50 s" as measured, "about 50 s" as estimated; null: not known. */
  words(job: Job): string | null {
    if (this.#measured?.job === job) return duration(this.#measured.seconds);
    const { device, knownModel } = this.#host;
    if (!device.backend || job.model !== knownModel) return null;
    const seconds = estimateSeconds(job, device.backend);
    return seconds === null ? null : roughly(seconds);
  }

  /** Times a few steps of a job, once, as soon as the device is known and free; not where something would have to be fetched that nobody asked for. */
  async measure(job: Job): Promise<void> {
    const { trainer, device, cost, idle } = this.#host;
    const { backend, preference } = device;
    if (!backend || !idle() || this.#asked === job) return;
    this.#asked = job;
    const request = requestOf(job, NOTHING, preference);
    // What cannot be loaded is said when it is asked for.
    if ('code' in request || (await cost(job, backend.kind)) !== 0 || this.#asked !== job) return;
    this.#measuring = true;
    const outcome = await trainer.prepare(request, true);
    if (this.#asked !== job) return;
    this.#measuring = false;
    if (!outcome.ok || outcome.value.secondsPerStep === null) return;
    device.saw(outcome.value.backend);
    this.#measured = { job, seconds: outcome.value.secondsPerStep * job.train.steps };
  }

  /** The job is no longer looked at: the device is let go of. */
  stop(): void {
    if (this.#measuring) void this.#host.trainer.cancelPreparation();
    this.#measuring = false;
    this.#asked = null;
  }
}
