/** @file A trainer without a worker, a model or a runtime: drives the page in component tests and while designing (`?fake` in development). */
import { recordsOf, StepLog } from '#src/training/steps.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type {
  AdapterReport,
  Angles,
  AskRequest,
  DebugFigures,
  Difference,
  Evaluation,
  ExportedFile,
  Fit,
  Problem,
  RoundedBase,
  JobRequest,
  Outcome,
  Picture,
  PicturesRequest,
  RateChange,
  RunEvent,
  RunResult,
  RunSummary,
  Said,
  Source,
  Speed,
  StepRecord,
  StoredCheckpoint,
  TrainerApi,
} from '#workers/protocol.ts';
import type { Inspection, Look } from '#workers/inspection/types.ts';
import type { BackendReport } from '#src/runtime/types.ts';
import { factorAt, withChange } from '#src/optim/rates.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer } from '#src/oft/types.ts';
import { FakeLibrary, fakeSummary } from './fakeLibrary.ts';
import { fakeInspection } from './fakeInspection.ts';
import { fakeLayers } from './fakeLayers.ts';

/** What to draw for a prompt; `amount` 0 is the untouched model's picture, 1 the tuned one's. */
export type Draw = (prompt: number, amount: number, seed: number) => Picture;

export interface FakeOptions {
  readonly draw?: Draw;
  /** Milliseconds a step takes. */
  readonly pace?: number;
  readonly backend?: BackendReport;
  readonly unfinished?: RunSummary | null;
  /** Makes the run fail at this step. */
  readonly failAt?: number;
  /** Nothing can be saved, until old checkpoints are gone. */
  readonly full?: boolean;
  /** Nothing can be saved while it trains; what is saved again is. */
  readonly refused?: boolean;
  /** The model's layers. */
  readonly layers?: readonly Layer[];
  readonly problems?: readonly (Problem & { severity: 'error' | 'warning' })[];
  /** What is found in any file that is opened. */
  readonly inspection?: Inspection;
  readonly fit?: Fit;
  /** What fewer bits come to, where the job asks for them. */
  readonly rounded?: RoundedBase;
  /** In what saved runs would go on otherwise. */
  readonly differences?: readonly Difference[];
  /** Names of constants that are trained as a whole: the last layer is new, and its classes, too. */
  readonly whole?: readonly string[];
  /** What is said of things that are tried, at a strength. */
  readonly answers?: (names: readonly string[], strength: number) => Said;
  /** The samples are these words instead of pictures, with what held-out data say of them; `amount` as in Draw. */
  readonly says?: {
    readonly prompts: readonly string[];
    readonly words: (prompt: number, amount: number) => string;
    readonly judged: (amount: number) => Pick<Evaluation, 'metrics' | 'tables' | 'examples'>;
  };
}

const fakeFit: Fit = {
  kind: 'fits',
  needed: 4.5e8,
  offered: 4e9,
  words: 'Fits: needs about 450 MB of 4.0 GB (what WebAssembly can address).',
  weights: 1.1e7,
  state: 2e6,
  activations: 3.3e8,
  reliefs: [],
};

const FULL: Problem = {
  code: 'storage',
  message: "There is no room to save 0.7 MB: this browser's storage is full.",
  cure: 'Discard older runs (they take 12.0 MB), or free space on the disk.',
  full: true,
};

const REFUSED: Problem = {
  code: 'storage',
  message: 'What was saved cannot be read back from this browser’s storage.',
  cure: 'Save the adapter as a file before you close this tab, and free space on the disk.',
};

const FAILURE: Problem = {
  code: 'device-lost',
  message: 'The graphics driver restarted.',
  safe: 'Everything up to the last checkpoint is saved.',
  cure: 'Continue from there.',
  detail: 'GPUDevice lost: unknown',
};

/** A disc on paper: coloured when untouched, black when tuned. */
export const drawDisc: Draw = (prompt, amount, seed) => {
  const size = 32;
  const rgba = new Uint8ClampedArray(size * size * 4).fill(255);
  const hue = [220 - prompt * 23, 60 + prompt * 17, 40 + ((prompt * 71 + seed * 13) % 200)];
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const inside = (x - 15.5) ** 2 + (y - 15.5) ** 2 < (9 + (prompt % 5)) ** 2;
      for (let c = 0; c < 3; c++)
        if (inside) rgba[(y * size + x) * 4 + c] = (hue[c] ?? 0) * (1 - amount) + 18 * amount;
    }
  return { width: size, height: size, rgba };
};

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const good = <T>(value: T): Outcome<T> => ({ ok: true, value });

export class FakeTrainer extends FakeLibrary implements TrainerApi {
  readonly #options: FakeOptions;
  readonly #draw: Draw;
  readonly #backend: BackendReport;
  #end: 'pause' | 'stop' | null = null;
  #sampleNow = false;
  /** Of the run that goes on: what its learning rate is changed by. */
  #change: ((factor: number) => RateChange) | null = null;
  #progress = 1;
  /** Updates made by the last run. */
  #step = 0;
  #runs = 0;

  constructor(options: FakeOptions = {}) {
    super();
    this.#options = options;
    this.#draw = options.draw ?? drawDisc;
    this.#backend = options.backend ?? {
      kind: 'wasm',
      reason: 'This browser offers no GPU, so the CPU trains.',
      threads: 4,
      adapter: null,
    };
    if (options.unfinished) this.keep({ summary: options.unfinished });
  }

  async device() {
    return this.#backend;
  }

  async inspect(source: Source, look: Look = {}): Promise<Outcome<Inspection>> {
    await wait(this.#options.pace ?? 5);
    return this.#options.inspection
      ? good(this.#options.inspection)
      : good(fakeInspection(source.kind === 'builtin' ? source.id : source.name, look));
  }

  async prepare({ job, adapter }: JobRequest, probe: boolean) {
    const pace = this.#options.pace ?? 5;
    await wait(probe ? pace * 8 : pace);
    const layers = this.#options.layers ?? fakeLayers;
    const { planned } = planLayers(layers, job.plan);
    const sum = (pick: 'stored' | 'effective') => planned.reduce((total, layer) => total + layer[pick], 0);
    return good({
      backend: this.#backend,
      modelHash: 'f00d'.repeat(16),
      modelBytes: 12_920_538,
      layers,
      planned,
      ...(adapter && { adapter: this.#report }),
      parameters: { stored: sum('stored'), effective: sum('effective'), base: 2_760_000 },
      images: 58,
      heldout: 37,
      whole: this.#options.whole ?? [],
      preview: { facts: [{ label: 'Images', value: '58' }], items: [] },
      fit: this.#options.fit ?? fakeFit,
      ...(this.#options.rounded && job.train.quantise !== 'no' && { rounded: this.#options.rounded }),
      unsaveable: [],
      secondsPerStep: probe ? 0.41 : null,
      problems: this.#options.problems ?? [],
    });
  }

  async start(
    request: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume?: string,
    given?: string,
  ): Promise<Outcome<RunResult>> {
    const { train, sample } = request.job;
    const pace = this.#options.pace ?? 5;
    const unsaved = this.#options.full ? FULL : this.#options.refused ? REFUSED : null;
    const id = resume ?? given ?? `fake-${++this.#runs}`;
    const opened = resume === undefined ? null : await this.openRun(null, resume);
    const earlier = opened?.ok ? opened.value : null;
    const first = earlier?.summary.step ?? 0;
    const history: StepRecord[] = earlier ? recordsOf(earlier.history) : [];
    const rows: { step: number; prompts: readonly string[]; pictures: Picture[]; texts?: string[] }[] = [];
    const evaluations: Evaluation[] = [...(earlier?.evaluations ?? [])];
    let angles: Angles | null = null;
    let rates: readonly RateChange[] = earlier?.summary.rates ?? [];
    const startedAt = earlier?.summary.startedAt ?? Date.now();
    const { planned } = planLayers(this.#options.layers ?? fakeLayers, request.job.plan);
    const keep = (state: RunSummary['state'], step: number, more: Partial<RunSummary> = {}): void =>
      this.keep({
        ...{ history: StepLog.of(history).columns(), evaluations, samples: rows, angles, planned },
        layers: this.#options.layers ?? fakeLayers,
        whole: this.#options.whole ?? [],
        summary: fakeSummary({
          ...{ id, job: request.job, step, state, startedAt },
          finished: state === 'finished' || state === 'stopped',
          checkpoints: step > 0 ? 1 : 0,
          rates,
          pictures: rows.at(-1)?.pictures.slice(0, 4) ?? [],
          texts: rows.at(-1)?.texts?.slice(0, 2) ?? [],
          losses: history.filter((_, i) => i % Math.ceil(history.length / 64) === 0).map(({ loss }) => loss),
          ...more,
        }),
      });
    this.#end = null;
    if (!earlier) keep('running', 0);
    onEvent({ kind: 'phase', phase: 'fetching', done: 6e6, total: 12.9e6 });
    await wait(pace * 4);
    onEvent({ kind: 'phase', phase: 'compiling' });
    await wait(pace * 4);
    const samples = (step: number) => {
      this.#progress = step / train.steps;
      const amount = Math.min(1, this.#progress * 1.6);
      const { says } = this.#options;
      const pictures = says ? [] : sample.prompts.map((_, i) => this.#draw(i, amount, sample.seed));
      const texts = says?.prompts.map((_, i) => says.words(i, amount));
      const row = { step, prompts: says?.prompts ?? sample.prompts, pictures, ...(texts && { texts }) };
      rows.push(row);
      onEvent({ kind: 'samples', ...row });
      const evaluation = {
        step,
        heldoutLoss: 0.184 + 0.076 * (1 - amount) ** 2,
        saturation: says ? null : 0.213 - 0.186 * amount,
        ...says?.judged(amount),
      };
      evaluations.push(evaluation);
      onEvent({ kind: 'evaluation', evaluation });
    };
    samples(first);
    onEvent({ kind: 'phase', phase: 'training' });
    let step = first;
    /** Updates in the newest checkpoint. */
    let saved = first;
    this.#change = (factor) => {
      const change = { step, factor };
      rates = withChange(rates, change);
      onEvent({ kind: 'rate', ...change });
      return change;
    };
    while (step < train.steps && this.#ending() === null) {
      await wait(pace);
      step++;
      if (step === this.#options.failAt) {
        keep('failed', saved, { problem: FAILURE });
        return { ok: false, problem: FAILURE };
      }
      const share = step / train.steps;
      const noise = Math.sin(step * 12.9898) * 0.03 + Math.sin(step * 78.233) * 0.02;
      const record = {
        step: step - 1,
        loss: 0.16 + 0.11 * Math.exp(-4 * share) + noise,
        learningRate: train.learningRate * Math.cos(share) * factorAt(rates, step - 1),
        gradNorm: 0.4,
        ms: 410,
      };
      history.push(record);
      onEvent({ kind: 'steps', records: [record], secondsLeft: (train.steps - step) * 0.41 });
      const degrees = (i: number) => 9 * Math.sqrt(share) * (1 + Math.sin(i * 1.7) * 0.7);
      angles = {
        step,
        mean: fakeLayers.map((_, i) => degrees(i)),
        largest: fakeLayers.map((_, i) => 2 * degrees(i)),
      };
      onEvent({ kind: 'angles', ...angles });
      if (step % (sample.every || train.steps) === 0 || this.#sampleNow) {
        this.#sampleNow = false;
        samples(step);
        if (unsaved) onEvent({ kind: 'unsaved', step, problem: unsaved });
        else {
          onEvent({ kind: 'checkpoint', step, bytes: 690_000 });
          saved = step;
          keep('running', step);
        }
      }
    }
    this.#change = null;
    const end = this.#ending();
    const outcome = end === 'pause' ? 'paused' : end === 'stop' ? 'stopped' : 'finished';
    if (unsaved) {
      onEvent({ kind: 'unsaved', step, problem: unsaved });
      this.#step = step;
    } else onEvent({ kind: 'checkpoint', step, bytes: 690_000 });
    keep(outcome, step);
    return good({
      id,
      outcome,
      step,
      history: StepLog.of(history).columns(),
      evaluations: [],
      means: [],
      backend: this.#backend,
      placement: { nodes: 2100, elsewhere: [] },
      timings: { compile: 2.1, train: step * 0.41 },
      memory: { weights: 12_920_538, state: 690_000 },
    });
  }

  #ending() {
    return this.#end;
  }
  /** As told beforehand. */
  differences(): Promise<Outcome<readonly Difference[]>> {
    return Promise.resolve(good(this.#options.differences ?? []));
  }
  async pause() {
    this.#end = 'pause';
  }
  async stop() {
    this.#end = 'stop';
  }
  async changeRate(id: string, factor: number): Promise<Outcome<RateChange>> {
    return this.#change ? good(this.#change(factor)) : this.changeSaved(id, factor);
  }
  /** There is room once old checkpoints are gone. */
  async saveAgain(): Promise<Outcome<StoredCheckpoint>> {
    return this.freed || this.#options.refused
      ? good({ step: this.#step, bytes: 690_000, at: Date.now() })
      : { ok: false, problem: FULL };
  }
  async sampleNow() {
    this.#sampleNow = true;
  }

  async sample({ prompts, strength, seed }: Parameters<TrainerApi['sample']>[0]) {
    await wait((this.#options.pace ?? 5) * 10);
    const index = (prompt: string) => [...prompt].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 12;
    const pictures = prompts.map((prompt) =>
      this.#draw(this.promptIndex?.(prompt) ?? index(prompt), strength, seed),
    );
    return good({ prompts, pictures });
  }
  /** Lets a gallery of real pictures find its prompts. */
  promptIndex: ((prompt: string) => number | undefined) | null = null;

  async ask({ given, texts = [], strengths }: AskRequest): Promise<Outcome<readonly Said[]>> {
    await wait(this.#options.pace ?? 5);
    const names = given?.kind === 'files' ? given.files.map(({ path }) => path) : texts;
    return good(
      strengths.map(
        (strength): Said =>
          this.#options.answers?.(names, strength) ?? {
            strength,
            items: names.map((name) => ({
              name,
              shares: [
                { name: strength > 0.5 ? 'fox' : 'owl', share: 0.8 },
                { name: strength > 0.5 ? 'owl' : 'fox', share: 0.2 },
              ],
            })),
          },
      ),
    );
  }

  async pictures({ paths }: PicturesRequest): Promise<Outcome<readonly (Picture | null)[]>> {
    return good(paths.map((path, i) => (path.endsWith('.txt') ? null : this.#draw(i, 0, 0))));
  }

  async exportAdapter(format: AdapterFormat): Promise<Outcome<ExportedFile>> {
    return good({
      name: `emoji-riso-oft4-120.${format === 'peft' ? 'zip' : format === 'onnx' ? 'onnx' : 'safetensors'}`,
      bytes: new Uint8Array(8),
      layers: fakeLayers.length,
      losses: format === 'onnx' ? ['The strength is fixed: the rotations are part of the weights.'] : [],
    });
  }
  readonly #report: AdapterReport = {
    format: 'lycoris',
    loaded: fakeLayers.length - 1,
    missing: ['lora_unet_conv_out.oft_blocks'],
    unexpected: [],
    notes: ['The file says no constraint.'],
  };
  async openAdapter(): Promise<Outcome<AdapterReport>> {
    await wait(this.#options.pace ?? 5);
    return good(this.#report);
  }
  async cancelPreparation() {}
  async keptData() {
    return good([]);
  }
  async exportKept(name: string) {
    return good({ name, blob: new Blob() });
  }
  async removeKept() {
    return good(null);
  }
  async measure() {
    await wait(this.#options.pace ?? 5);
    return good<Speed>({
      backend: this.#backend,
      batch: 4,
      layers: 133,
      forward: { nodes: 793, ms: [110, 112, 109] },
      step: { nodes: 3616, ms: [270, 281, 275] },
    });
  }
  async debug(): Promise<Outcome<DebugFigures | null>> {
    const stage = (name: string, nodes: number) => ({
      name,
      nodes,
      inputs: 140,
      outputs: 6,
      constants: { count: 310, bytes: 11_000_000, uploaded: 133 },
      activations: 3.3e8,
    });
    return good<DebugFigures>({
      backend: this.#backend,
      step: {
        stages: [stage('forward', 900), stage('backward', 1200)],
        operators: [
          { op: 'Mul', nodes: 640 },
          { op: 'MatMul', nodes: 410 },
          { op: 'com.microsoft::FusedMatMul', nodes: 12 },
        ],
        memory: { weights: 1.1e7, state: 2e6, activations: 3.3e8 },
      },
      placement: {
        nodes: 2100,
        elsewhere: [
          { node: 'pad_3', op: 'Pad', device: 'CPU', reason: 'WebGPU has no kernel for this Pad.' },
        ],
      },
      timings: { load: 0.8, compile: 2.1, train: 3.3 },
      measured: { weights: 12_920_538, state: 690_000, heap: 4.02e8 },
    });
  }
}

/** Pictures from a strip of `columns` icons in two rows, untouched above tuned, mixed by `amount`. */
export async function drawFromStrip(url: string, columns: number): Promise<Draw> {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  const tile = 32;
  const canvas = new OffscreenCanvas(columns * tile, 2 * tile);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('No 2D canvas.');
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return (prompt, amount) => {
    const x = (prompt % columns) * tile;
    const before = context.getImageData(x, 0, tile, tile).data;
    const after = context.getImageData(x, tile, tile, tile).data;
    const rgba = before.map((value, i) => value * (1 - amount) + (after[i] ?? 0) * amount);
    return { width: tile, height: tile, rgba };
  };
}
