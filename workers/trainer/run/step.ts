/** @file The training step of a run on the device: compiled anew with more rounds when its blocks have turned far. */
import { withFreshInverses, withInverses } from '#src/oft/rotation/inverses.ts';
import type { Executable } from '#src/runtime/types.ts';
import { firstRounds, largestNorm, nextRounds, UNCONVERGED } from '#src/training/rounds.ts';
import type { Bench } from '../bench.ts';
import type { Setup } from '../prepare/types.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What a training step carries on, by name. */
export type StepState = Readonly<Record<string, Float32Array>> & { readonly theta: Float32Array };

function asStepState({ theta, ...others }: Readonly<Record<string, Float32Array>>): StepState {
  if (!theta) throw new Error('The training step has no parameters.');
  return { ...others, theta };
}

export class TrainingStep implements Executable {
  readonly #setup: Setup;
  readonly #bench: Bench;
  readonly #watch: Stopwatch;
  #executable: Executable | null = null;
  #rounds: number;
  /** The highest learning rate that the rounds were chosen for. */
  #rate: number;
  #variant = 0;

  constructor(setup: Setup, bench: Bench, watch: Stopwatch, rounds: number) {
    this.#setup = setup;
    this.#bench = bench;
    this.#watch = watch;
    this.#rounds = rounds;
    this.#rate = setup.job.train.learningRate;
  }

  /** Newton–Schulz rounds compiled in. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Compiles the step; its state is that of a run's start. */
  async compile(): Promise<void> {
    await this.#watch.time('compile', async () => {
      await this.#load();
      const { state } = this.#setup.program(this.#rounds, this.#variant);
      await this.writeState(Object.fromEntries(state.map((s) => [s.name, s.init])));
    });
  }

  async #load(): Promise<void> {
    const [setup, rounds, variant] = [this.#setup, this.#rounds, this.#variant];
    this.#executable = await this.#bench.training(
      setup.trainingKey(rounds, variant),
      () => setup.program(rounds, variant),
      setup.external,
      variant,
    );
  }

  /** Runs are of this shape from now on: the state goes over to its program, which is compiled when it is first wanted. */
  async use(variant: number): Promise<void> {
    if (variant === this.#variant) return;
    const state = await this.readState();
    this.#variant = variant;
    await this.#watch.time('compile', () => this.#load());
    await this.writeState(state);
  }

  /** Compiles it with the rounds that steps at such a rate call for, if those are more: the inverses that they begin with are further off. */
  async meet(rate: number): Promise<void> {
    if (rate <= this.#rate) return;
    this.#rate = rate;
    const { layout, job } = this.#setup;
    const rounds = firstRounds(layout, { ...job.train, learningRate: rate });
    if (rounds <= this.#rounds) return;
    const state = await this.readState();
    this.#rounds = rounds;
    await this.compile();
    await this.writeState(state);
  }

  /** The state before the first step. */
  get start(): StepState {
    const { state } = this.#setup.program(this.#rounds, this.#variant);
    return asStepState(Object.fromEntries(state.map(({ name, init }) => [name, init])));
  }

  /** Compiles it with the rounds that such a residual calls for, if those are more; the state goes over, with inverses that the host finds where those are off. */
  async suit(residual: number): Promise<void> {
    const { layout } = this.#setup;
    const state = await this.state();
    const rounds = nextRounds(this.#rounds, residual, () => largestNorm(layout, state.theta));
    const more = rounds !== this.#rounds;
    if (!more && residual <= UNCONVERGED) return;
    this.#rounds = rounds;
    if (more) await this.compile();
    await this.writeState(withFreshInverses(layout, state));
  }

  /** All that goes on from step to step, as it is. */
  async state(): Promise<StepState> {
    return asStepState(await this.readState());
  }

  /** The parameters as they are. */
  async theta(): Promise<Float32Array> {
    return (await this.state()).theta;
  }

  #get(): Executable {
    if (!this.#executable) throw new Error('The training step is not compiled yet.');
    return this.#executable;
  }
  run: Executable['run'] = (feeds, reads) => this.#get().run(feeds, reads);
  readState: Executable['readState'] = async () => this.#get().readState();
  /** Parameters that come without their inverses, as in checkpoints of older versions, get them. */
  writeState: Executable['writeState'] = async (state) =>
    this.#get().writeState(withInverses(this.#setup.layout, state));
  placement: Executable['placement'] = () => this.#get().placement();
  dispose: Executable['dispose'] = async () => this.#get().dispose();
}
