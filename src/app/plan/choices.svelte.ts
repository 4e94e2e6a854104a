/** @file What a newcomer chooses instead of a plan: where the result will be used, and how thoroughly it learns. Both only set the job. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Layer } from '#src/oft/types.ts';
import { type Depth, type DepthId, depthOf, depthsAround, withDepth } from './depths.ts';
import { heldAsWell, type Place, type PlacedPlan, placesOf, planFor } from './places.ts';

/** The job that is chosen for. */
export interface ChoicesHost {
  readonly job: Job;
  readonly layers: readonly Layer[] | null;
  setJob(job: Job): void;
}

export class Choices {
  readonly #host: ChoicesHost;
  #placeId = $state<Place['id']>('here');
  /** The job around which the choices stand: as it was opened, before any of them. */
  #start = $state.raw<Job>() as Job;
  /** The last job that a choice set: any other one was opened or edited by hand. */
  #set: Job | null = null;

  readonly #places = $derived.by(() => placesOf(this.#host.job.task));
  readonly #placed = $derived.by((): PlacedPlan => {
    const { layers } = this.#host;
    const { plan } = this.#start;
    return layers ? planFor(this.place, layers, plan) : { plan, change: null, losses: [] };
  });
  readonly #depths = $derived.by(() => {
    const { layers } = this.#host;
    const { plan } = this.#placed;
    const held = layers ? heldAsWell(this.place, layers, plan) : () => false;
    return depthsAround(plan, this.#start.train.steps, layers, held);
  });

  constructor(host: ChoicesHost) {
    this.#host = host;
    this.#start = host.job;
  }

  get places(): readonly Place[] {
    return this.#places;
  }
  get place(): Place {
    return this.#places.find(({ id }) => id === this.#placeId) ?? this.#places[0]!;
  }
  /** What the place changed, and what it will not load. */
  get placed(): PlacedPlan {
    return this.#placed;
  }
  get depths(): readonly Depth[] {
    return this.#depths;
  }
  /** null: settings of its own, made under "Advanced" or brought by a file or link. */
  get depth(): DepthId | null {
    return depthOf(this.#host.job, this.#depths);
  }

  /** Another job was opened, or another task or model chosen: the choices stand around that one. Edits by hand leave them where they are. */
  follow(): void {
    const { job } = this.#host;
    const { task, model, data } = this.#start;
    if (job.task !== task || job.model !== model || (data.train !== job.data.train && job !== this.#set))
      this.#start = job;
  }

  setPlace(id: Place['id']): void {
    const depth = this.depth ?? 'balanced';
    this.#placeId = id;
    this.setDepth(depth);
  }

  setDepth(id: DepthId): void {
    const depth = this.#depths.find((each) => each.id === id);
    if (!depth) return;
    this.#set = withDepth(this.#host.job, depth);
    this.#host.setJob(this.#set);
  }
}
