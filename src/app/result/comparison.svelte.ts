/** @file Before and after for every prompt: what is at hand is shown at once, what is not is drawn, and kept by prompt, seed and strength. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Picture, Problem, SampleRequest } from '#workers/protocol.ts';
import type { SampleRow } from '../run/run.svelte.ts';
import type { Trainer } from '../worker/client.ts';
import { AS_TRAINED, PAUSE_MS, UNTOUCHED } from './strengths.ts';

/** Small pictures are drawn several at a time: their device is hardly busy with one. */
const SMALL = 64;
const TOGETHER = 4;
/** Bytes of pictures that are kept. */
const KEPT = 2 ** 27;

/** A prompt, and its place in the job's list, by which chance differs. */
interface Asked {
  readonly prompt: string;
  readonly place: number;
}

export interface Pair {
  readonly prompt: string;
  readonly before: Picture | null;
  /** At the strength, or while that is drawn, at the nearest that is known. */
  readonly after: Picture | null;
  /** What is shown is not what was wished. */
  readonly waiting: boolean;
}

const keyOf = ({ prompt, place }: Asked, seed: number, strength: number): string =>
  JSON.stringify([prompt, place, seed, Number(strength.toFixed(2))]);

export class Comparison {
  readonly #trainer: Trainer;
  #asked = $state.raw<readonly Asked[]>([]);
  #chosen = $state(0);
  #seed = $state(0);
  #strength = $state(AS_TRAINED);
  #pictures = $state.raw<ReadonlyMap<string, Picture>>(new Map());
  /** What was said of prompts as they were drawn. */
  #notes = $state.raw<ReadonlyMap<string, string>>(new Map());
  #busy = $state(false);
  #problem = $state.raw<Problem | null>(null);
  #settings: Job['sample'] | null = null;
  /** Counts the adapters that were shown: what comes for an earlier one is not this one's. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #pairs = $derived.by(() => this.#asked.map((asked) => this.#pairOf(asked)));

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
  }

  get pairs(): readonly Pair[] {
    return this.#pairs;
  }
  /** Index of the pair that is looked at. */
  get chosen() {
    return this.#chosen;
  }
  get pair(): Pair | null {
    return this.#pairs[this.#chosen] ?? null;
  }
  /** What is to be said of the chosen prompt, such as words that the model does not know; null: nothing. */
  get note(): string | null {
    return this.#notes.get(this.#asked[this.#chosen]?.prompt ?? '') ?? null;
  }
  get seed() {
    return this.#seed;
  }
  get strength() {
    return this.#strength;
  }
  /** Drawing. */
  get busy() {
    return this.#busy;
  }
  get problem() {
    return this.#problem;
  }

  /**
   * Another adapter: nothing of the one before is shown any more.
   * @param rows the wall: its untouched row and its row of the adapter's own step are not drawn again
   * @param step of the adapter
   */
  open(sample: Job['sample'], rows: readonly SampleRow[], step: number): void {
    const untouched = rows.find((row) => row.step === 0);
    const tuned = rows.find((row) => row.step === step);
    const prompts = (tuned ?? untouched)?.prompts ?? sample.prompts;
    this.#turn++;
    this.#settings = sample;
    this.#seed = sample.seed;
    this.#strength = AS_TRAINED;
    this.#chosen = 0;
    this.#problem = null;
    this.#notes = new Map();
    this.#asked = (prompts.length > 0 ? prompts : ['']).map((prompt, place) => ({ prompt, place }));
    const known = new Map<string, Picture>();
    for (const [row, strength] of [
      [untouched, UNTOUCHED],
      [step === 0 ? undefined : tuned, AS_TRAINED],
    ] as const)
      row?.pictures.forEach((picture, place) => {
        known.set(keyOf({ prompt: row.prompts[place] ?? '', place }, sample.seed, strength), picture);
      });
    this.#pictures = known;
    this.#wish();
  }

  /** Looks at one of the pairs: it is drawn first. */
  choose(index: number): void {
    this.#chosen = index;
    this.#wish();
  }

  /** A prompt of one's own, before the others; one that is there already is chosen. */
  add(prompt: string): void {
    const known = this.#asked.findIndex((asked) => asked.prompt === prompt);
    if (known < 0) this.#asked = [{ prompt, place: 0 }, ...this.#asked];
    this.choose(Math.max(0, known));
  }

  set(wish: { readonly seed?: number; readonly strength?: number }): void {
    if (wish.seed !== undefined) this.#seed = wish.seed;
    if (wish.strength !== undefined) this.#strength = wish.strength;
    this.#wish();
  }

  #pairOf(asked: Asked): Pair {
    const at = (strength: number) => this.#pictures.get(keyOf(asked, this.#seed, strength)) ?? null;
    const [before, after] = [at(UNTOUCHED), at(this.#strength)];
    return {
      prompt: asked.prompt,
      before,
      after: after ?? this.#nearest(asked),
      waiting: before === null || after === null,
    };
  }

  /** The picture of the same prompt and seed at the strength nearest to the wish; null: there is none but the untouched one. */
  #nearest(asked: Asked): Picture | null {
    let [best, distance] = [null as Picture | null, Infinity];
    for (const [key, picture] of this.#pictures) {
      const [prompt, place, seed, strength] = JSON.parse(key) as [string, number, number, number];
      const away = Math.abs(strength - this.#strength);
      if (prompt !== asked.prompt || place !== asked.place || seed !== this.#seed) continue;
      if (strength !== UNTOUCHED && away < distance) [best, distance] = [picture, away];
    }
    return best;
  }

  #wish(): void {
    clearTimeout(this.#timer);
    this.#problem = null;
    if (this.#missing() !== null) this.#timer = setTimeout(() => void this.#draw(), PAUSE_MS);
  }

  /** What is to be drawn next, at one strength: the chosen pair's, then the others', the untouched pictures last. */
  #missing(): { readonly strength: number; readonly asked: readonly Asked[] } | null {
    const chosen = this.#asked[this.#chosen];
    for (const strength of [this.#strength, UNTOUCHED]) {
      const lacking = this.#asked.filter((asked) => !this.#pictures.has(keyOf(asked, this.#seed, strength)));
      if (chosen && lacking.includes(chosen)) return { strength, asked: [chosen] };
    }
    for (const strength of [this.#strength, UNTOUCHED]) {
      const lacking = this.#asked.filter((asked) => !this.#pictures.has(keyOf(asked, this.#seed, strength)));
      const small = [...this.#pictures.values()].every(({ width }) => width <= SMALL);
      if (lacking.length > 0) return { strength, asked: lacking.slice(0, small ? TOGETHER : 1) };
    }
    return null;
  }

  /** One request at a time; what was wished meanwhile is drawn after it. */
  async #draw(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#missing(); next; next = this.#missing()) {
      const { strength, asked } = next;
      const [turn, seed, settings] = [this.#turn, this.#seed, this.#settings!];
      const request: SampleRequest = {
        prompts: asked.map(({ prompt }) => prompt),
        places: asked.map(({ place }) => place),
        seed,
        steps: settings.steps,
        guidance: settings.guidance,
        strength,
      };
      const drawn = await this.#trainer.sample(request);
      if (turn !== this.#turn) continue;
      if (!drawn.ok) {
        this.#problem = drawn.problem;
        break;
      }
      this.#keep(
        asked.flatMap((each, i) => {
          const picture = drawn.value.pictures[i];
          return picture ? [[keyOf(each, seed, strength), picture] as const] : [];
        }),
      );
      const said = asked.flatMap(({ prompt }, i) => {
        const note = drawn.value.notes?.[i];
        return note ? [[prompt, note] as const] : [];
      });
      if (said.length > 0) this.#notes = new Map([...this.#notes, ...said]);
      // A model that draws nothing would be asked for ever.
      if (drawn.value.pictures.length < asked.length) break;
    }
    this.#busy = false;
  }

  #keep(drawn: readonly (readonly [string, Picture])[]): void {
    const kept = new Map([...this.#pictures, ...drawn]);
    let bytes = [...kept.values()].reduce((sum, { rgba }) => sum + rgba.byteLength, 0);
    const wanted = new Set(
      this.#asked.flatMap((asked) =>
        [UNTOUCHED, this.#strength].map((strength) => keyOf(asked, this.#seed, strength)),
      ),
    );
    for (const [key, { rgba }] of kept) {
      if (bytes <= KEPT) break;
      if (wanted.has(key)) continue;
      kept.delete(key);
      bytes -= rgba.byteLength;
    }
    this.#pictures = kept;
  }
}
