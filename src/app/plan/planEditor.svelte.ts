/** @file The plan as it is edited: every edit is checked against all layers at once, can be undone, and never has to wait for a worker. */
import { proposeForBudget } from '#src/oft/blocks/budget.ts';
import { preflight, type Preflight } from '#src/oft/preflight/preflight.ts';
import type { PlanProblem } from '#src/oft/plan/types.ts';
import type { Layer, LayerSettings, Match, Plan, Rule } from '#src/oft/types.ts';
import * as edits from './planEdits.ts';

/** Where the plan lives: the job that will be trained. */
export interface PlanHost {
  readonly plan: Plan;
  /** All layers of the model that can be adapted; null while they are not known yet. */
  readonly layers: readonly Layer[] | null;
  setPlan(plan: Plan): void;
}

interface Edit {
  /** The plan before it. */
  readonly before: Plan;
  /** For the undo button: "remove rule 2". */
  readonly words: string;
}

const KEPT = 100;

export class PlanEditor {
  readonly #host: PlanHost;
  #past = $state.raw<readonly Edit[]>([]);
  /** What the last edit left behind: a plan that came from elsewhere makes the past meaningless. */
  #latest = $state.raw<Plan | null>(null);
  #loraRank = $state(16);
  #budget = $state<number | null>(null);

  readonly #preflight = $derived.by((): Preflight | null => {
    const { layers, plan } = this.#host;
    return layers && preflight(layers, plan, { loraRank: this.#loraRank });
  });
  /** Layers that each rule takes, by the rule's place. */
  readonly #taken = $derived.by(() => {
    const taken = this.#host.plan.rules.map(() => 0);
    for (const { rule } of this.#preflight?.rows ?? []) if (rule !== null) taken[rule]!++;
    return taken;
  });
  readonly #proposal = $derived.by(() => {
    const { layers, plan } = this.#host;
    return layers && this.#budget !== null ? proposeForBudget(layers, plan, this.#budget) : null;
  });

  constructor(host: PlanHost) {
    this.#host = host;
  }

  get plan(): Plan {
    return this.#host.plan;
  }
  get layers() {
    return this.#host.layers;
  }
  /** Every layer under the present plan; null while the layers are not known. */
  get preflight() {
    return this.#preflight;
  }
  get problems(): readonly PlanProblem[] {
    return this.#preflight?.problems ?? [];
  }
  get errors(): readonly PlanProblem[] {
    return this.problems.filter(({ severity }) => severity === 'error');
  }
  /** The layers are known, and nothing in the plan stands against training them. */
  get trainable(): boolean {
    return this.#preflight !== null && this.errors.length === 0;
  }
  get taken(): readonly number[] {
    return this.#taken;
  }
  /** Rank of the LoRA that the totals are held against. */
  get loraRank() {
    return this.#loraRank;
  }
  set loraRank(rank: number) {
    this.#loraRank = rank;
  }
  /** Numbers that the adapter may have; null: no budget. */
  get budget() {
    return this.#budget;
  }
  set budget(numbers: number | null) {
    this.#budget = numbers;
  }
  /** A plan within the budget; null without one, or where none can be found. */
  get proposal() {
    return this.#proposal;
  }
  /** What undo would take back; null: nothing. */
  get undoable(): string | null {
    return this.#latest === this.plan ? (this.#past.at(-1)?.words ?? null) : null;
  }

  /** Problems that name this rule. */
  ruleProblems(index: number): readonly PlanProblem[] {
    return this.problems.filter(({ item }) => item === `rule ${index + 1}`);
  }

  set(part: Partial<LayerSettings>): void {
    this.#commit(edits.editSettings(this.plan, part), 'the change of the settings');
  }
  setRule(index: number, part: Partial<LayerSettings> & { skip?: boolean }): void {
    this.#commit(edits.editRule(this.plan, index, part), `the change of rule ${index + 1}`);
  }
  setMatch(index: number, part: Partial<Match>): void {
    this.#commit(edits.editMatch(this.plan, index, part), `the change of rule ${index + 1}`);
  }
  addRule(rule: Rule = { match: {} }): void {
    this.#commit(edits.addRule(this.plan, rule), 'the new rule');
  }
  removeRule(index: number): void {
    this.#commit(edits.removeRule(this.plan, index), `the removal of rule ${index + 1}`);
  }
  moveRule(from: number, to: number): void {
    this.#commit(edits.moveRule(this.plan, from, to), `the move of rule ${from + 1}`);
  }
  /** What stands before the names of the Python model's modules; null: found by their structure. */
  setRoot(root: string | null): void {
    const { root: _, ...plan } = this.plan;
    this.#commit(root === null ? plan : { ...plan, root }, 'the change of the names');
  }
  /** A preset, an import, a proposal: the whole plan at once. */
  replace(plan: Plan, words: string): void {
    this.#commit(plan, words);
  }
  undo(): void {
    const last = this.#past.at(-1);
    if (!last || this.undoable === null) return;
    this.#past = this.#past.slice(0, -1);
    this.#latest = last.before;
    this.#host.setPlan(last.before);
  }

  #commit(plan: Plan, words: string): void {
    const before = this.plan;
    if (plan === before) return;
    const past = this.#latest === before ? this.#past : [];
    this.#past = [...past, { before, words }].slice(-KEPT);
    this.#latest = plan;
    this.#host.setPlan(plan);
  }
}
