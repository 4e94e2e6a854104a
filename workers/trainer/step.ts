/** @file The training step of a run on the device: compiled anew with more rounds when its blocks have turned far. */
import type { Executable } from '#src/runtime/types.ts';
import { nextRounds, largestNorm } from '#src/training/rounds.ts';
import type { Bench } from './bench.ts';
import type { Setup } from './setup.ts';
import type { Stopwatch } from './stopwatch.ts';

export class TrainingStep implements Executable {
  readonly #setup: Setup;
  readonly #bench: Bench;
  readonly #watch: Stopwatch;
  #executable: Executable | null = null;
  #rounds: number;

  constructor(setup: Setup, bench: Bench, watch: Stopwatch, rounds: number) {
    this.#setup = setup;
    this.#bench = bench;
    this.#watch = watch;
    this.#rounds = rounds;
  }

  /** Newton–Schulz rounds compiled in. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Compiles the step; its state is that of a run's start. */
  async compile(): Promise<void> {
    const [setup, rounds] = [this.#setup, this.#rounds];
    await this.#watch.time('compile', async () => {
      const program = setup.program(rounds);
      this.#executable = await this.#bench.training(setup.trainingKey(rounds), () => program, setup.external);
      await this.#executable.writeState(Object.fromEntries(program.state.map((s) => [s.name, s.init])));
    });
  }

  /** Compiles it with the rounds that such a residual calls for, if those are more; the state goes over. */
  async suit(residual: number): Promise<void> {
    const state = await this.readState();
    const theta = state['theta'];
    if (!theta) return;
    const rounds = nextRounds(this.#rounds, residual, () => largestNorm(this.#setup.layout, theta));
    if (rounds === this.#rounds) return;
    this.#rounds = rounds;
    await this.compile();
    await this.writeState(state);
  }

  /** The parameters as they are. */
  async theta(): Promise<Float32Array> {
    const { theta } = await this.readState();
    if (!theta) throw new Error('The training step has no parameters.');
    return theta;
  }

  #get(): Executable {
    if (!this.#executable) throw new Error('The training step is not compiled yet.');
    return this.#executable;
  }
  run: Executable['run'] = (feeds, reads) => this.#get().run(feeds, reads);
  readState: Executable['readState'] = async () => this.#get().readState();
  writeState: Executable['writeState'] = async (state) => this.#get().writeState(state);
  placement: Executable['placement'] = () => this.#get().placement();
  dispose: Executable['dispose'] = async () => this.#get().dispose();
}
