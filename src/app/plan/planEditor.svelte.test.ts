/** @file The plan editor: what edits do to one another, undo, and that no sequence of them makes an invalid plan trainable. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planFromTable, planToTable, planSchema } from '#src/formats/plans/plan.ts';
import { checked } from '#src/formats/schema.ts';
import { choiceKind, defaultSettings, peftSettings, settingsOf } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, Plan } from '#src/oft/types.ts';
import { PlanEditor } from './planEditor.svelte.ts';
import { cutBy, withOption } from './planEdits.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { fakeLayers, manyLayers } from '../testing/fakeLayers.ts';
import { arbitraryEdit, type Edit } from '../testing/planEditing.ts';

function setUp(plan: Plan = fakeJob.plan, layers: readonly Layer[] | null = fakeLayers) {
  let present = $state.raw(plan);
  const host = {
    get plan() {
      return present;
    },
    layers,
    setPlan: (next: Plan) => (present = next),
  };
  return { editor: new PlanEditor(host), host };
}

/** What the page's fields do for an edit; one that has no field at present does nothing. */
function perform(editor: PlanEditor, edit: Edit): void {
  const { plan } = editor;
  const shown = (at: number) =>
    at < 0 ? plan.blocks : plan.rules[at]?.skip ? undefined : plan.rules[at]?.blocks;
  switch (edit.kind) {
    case 'set': {
      editor.set(edit.part);
      return;
    }
    case 'cut': {
      const rule = plan.rules[edit.at];
      if (edit.at < 0) {
        editor.set({ blocks: cutBy(edit.way, plan.blocks) });
        return;
      }
      if (rule)
        editor.setRule(edit.at, { blocks: cutBy(edit.way, rule.blocks ?? settingsOf(plan, rule).blocks) });
      return;
    }
    case 'option': {
      const blocks = shown(edit.at);
      const key = Object.keys(edit.part)[0] ?? '';
      const way = blocks && choiceKind(blocks);
      if (!blocks || (['dim', 'count', 'size'].includes(key) && key !== way)) return;
      if (way === 'per' && key !== 'share') return;
      const { algorithm } = edit.at < 0 ? plan : settingsOf(plan, plan.rules[edit.at]);
      if (key === 'stages' && algorithm !== 'boft') return;
      const next = withOption(blocks, edit.part);
      if (edit.at < 0) editor.set({ blocks: next });
      else editor.setRule(edit.at, { blocks: next });
      return;
    }
    case 'rule': {
      editor.setRule(edit.at, edit.part);
      return;
    }
    case 'match': {
      editor.setMatch(edit.at, edit.part);
      return;
    }
    case 'add': {
      editor.addRule();
      return;
    }
    case 'undo': {
      editor.undo();
      return;
    }
    case 'remove': {
      editor.removeRule(edit.at);
      return;
    }
    case 'move': {
      editor.moveRule(edit.at, edit.to);
      return;
    }
  }
}

describe('any sequence of edits', () => {
  const sequences = fc.array(arbitraryEdit, { maxLength: 30 });

  it('leaves the plan trainable exactly if no layer and no rule has an error', () => {
    fc.assert(
      fc.property(sequences, (edits) => {
        const { editor } = setUp();
        for (const edit of edits) {
          perform(editor, edit);
          const { problems } = planLayers(fakeLayers, editor.plan);
          expect(editor.trainable).toBe(!problems.some(({ severity }) => severity === 'error'));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never leaves a contradiction: a trainable plan is one that a plan file may hold', () => {
    fc.assert(
      fc.property(sequences, (edits) => {
        const { editor } = setUp();
        for (const edit of edits) perform(editor, edit);
        if (!editor.trainable) return;
        const table = planToTable(editor.plan);
        expect(planToTable(planFromTable(checked(planSchema, table, '')))).toEqual(table);
      }),
      { numRuns: 200 },
    );
  });

  it('can be taken back edit by edit', () => {
    fc.assert(
      fc.property(sequences, (edits) => {
        const { editor } = setUp();
        for (const edit of edits) perform(editor, edit);
        while (editor.undoable !== null) editor.undo();
        expect(editor.plan).toEqual(fakeJob.plan);
      }),
      { numRuns: 50 },
    );
  });
});

describe('edits', () => {
  it('bring a side’s conventions along, and take what contradicts it away', () => {
    const { editor } = setUp();
    editor.set({ side: 'input' });
    expect(editor.plan).toMatchObject({
      parameters: peftSettings.parameters,
      neumannTerms: peftSettings.neumannTerms,
      clamp: 'peft',
    });
    editor.set({ blocks: { per: 'channel' } });
    editor.set({ algorithm: 'boft' });
    expect(editor.plan).toMatchObject({ side: 'output', clamp: 'lycoris', blocks: defaultSettings.blocks });
    editor.set({ blocks: { size: 8, stages: 2 } });
    editor.set({ side: 'input' });
    expect(editor.plan).toMatchObject({ algorithm: 'diag', blocks: { size: 8 } });
    expect(editor.plan.blocks.stages).toBeUndefined();
  });

  it('of the plan leave what a rule says itself, conventions and all', () => {
    const { editor } = setUp();
    editor.addRule({ match: { kind: 'conv' }, blocks: { per: 'channel' } });
    expect(editor.plan.rules[0]).toMatchObject({ side: 'input', clamp: 'peft' });
    editor.setRule(0, { side: undefined });
    // The way of cutting asks for its side.
    expect(editor.plan.rules[0]?.side).toBe('input');
    editor.setRule(0, { blocks: undefined });
    editor.setRule(0, { side: undefined });
    expect(editor.plan.rules[0]).toEqual({ match: { kind: 'conv' } });
  });

  it('count what each rule takes, and say at the rule why one takes nothing', () => {
    const { editor } = setUp();
    editor.addRule({ match: { kind: 'conv' }, skip: true });
    editor.addRule({ match: { name: 'conv_*' }, blocks: { size: 1 } });
    const convs = fakeLayers.filter(({ kind }) => kind === 'conv').length;
    expect(editor.taken).toEqual([convs, 0]);
    expect(
      editor
        .ruleProblems(1)
        .map(({ message }) => message)
        .join(),
    ).toMatch(/never used.*rule 1/);
    editor.moveRule(1, 0);
    expect(editor.taken).toEqual([2, convs - 2]);
    expect(editor.undoable).toBe('the move of rule 2');
    editor.undo();
    expect(editor.taken).toEqual([convs, 0]);
  });

  it('with a condition that cannot be read are an error at their rule until it is mended', () => {
    const { editor } = setUp();
    editor.addRule();
    editor.setMatch(0, { regex: '(' });
    expect(editor.trainable).toBe(false);
    expect(editor.ruleProblems(0)[0]?.severity).toBe('error');
    editor.setMatch(0, { regex: undefined });
    expect(editor.trainable).toBe(true);
  });

  it('forget their past when a plan comes from elsewhere', () => {
    const { editor, host } = setUp();
    editor.set({ rescale: true });
    host.setPlan({ ...fakeJob.plan, blocks: { size: 8 } });
    expect(editor.undoable).toBeNull();
    editor.undo();
    expect(editor.plan.blocks).toEqual({ size: 8 });
  });
});

describe('a plan', () => {
  it('is not trainable before its layers are known', () => {
    const { editor } = setUp(fakeJob.plan, null);
    expect([editor.preflight, editor.trainable, editor.proposal]).toEqual([null, false, null]);
  });

  it('gets a proposal that meets the budget and can be taken over', () => {
    const { editor } = setUp({ ...fakeJob.plan, blocks: { count: 4, fit: 'nearest' } });
    const before = editor.preflight!.totals.stored;
    editor.budget = 20_000;
    expect(before).toBeGreaterThan(20_000);
    const { proposal } = editor;
    expect(proposal!.stored).toBeLessThanOrEqual(20_000);
    editor.replace(proposal!.plan, 'the budget’s setting');
    expect(editor.preflight!.totals.stored).toBe(proposal!.stored);
    expect(editor.trainable).toBe(true);
  });

  it('of 1,000 layers is looked at row by row', () => {
    const { editor } = setUp(fakeJob.plan, manyLayers(1000));
    editor.loraRank = 4;
    expect(editor.preflight!.rows).toHaveLength(1000);
    expect(editor.preflight!.totals.lora.rank).toBe(4);
  });
});
