/** @file The job that a link brought; its address stays in the bar, so that a reload brings it again. The codec loads only when there is a link. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Problem } from '#workers/protocol.ts';
import { toProblem } from '../worker/problems.ts';
import type { SharedTime } from './sharedTime.svelte.ts';

export class Shared {
  /** How long the job takes here. */
  readonly time: SharedTime;
  #job = $state.raw<Job | null>(null);
  #problem = $state.raw<Problem | null>(null);

  constructor(time: SharedTime) {
    this.time = time;
  }

  get job() {
    return this.#job;
  }
  /** Why the link cannot be read. */
  get problem() {
    return this.#problem;
  }

  /** Opens the hash part of a link: `#v1:…`. */
  async open(link: string): Promise<void> {
    this.close();
    try {
      const { decodeLink } = await import('#src/formats/jobs/link.ts');
      this.show(await decodeLink(link));
    } catch (cause) {
      this.refuse(
        toProblem(cause, {
          code: 'bad-job',
          safe: 'Nothing was changed or loaded.',
          cure: 'Ask for the link again, or start with the built-in example.',
        }),
      );
    }
  }

  show(job: Job): void {
    this.time.stop();
    this.#job = job;
  }
  refuse(problem: Problem): void {
    this.#problem = problem;
  }
  /** Another view was gone to. */
  close(): void {
    this.time.stop();
    this.#job = null;
    this.#problem = null;
  }
}
