/** @file Stored runs read back: those of today, and those from before plans knew the whole OFT family. */
import 'fake-indexeddb/auto';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { parseSaved, type Saved } from './saved.ts';
import { Lab, tinyJob, tinyRequest, value } from './testing/sessions.ts';

let saved: Saved;
beforeAll(async () => {
  const lab = new Lab('saved');
  const train = { ...tinyJob.train, steps: 1 };
  const { id } = value(await lab.newSession().start(tinyRequest({ train }), () => undefined));
  saved = (await lab.runs().load(id))!.content;
});

/** As runs were stored when the only algorithm was LyCORIS's Diag-OFT. */
function old({ adapter: _, layers: __, residual: ___, planned, checkpoint, ...rest }: Saved): object {
  const { side, blocks, constraint, rescale, lrScale, rules } = checkpoint.job.plan;
  const plan = { side, blocks, constraint, rescale, lrScale, rules };
  return {
    ...rest,
    roundsWanted: true,
    checkpoint: { ...checkpoint, job: { ...checkpoint.job, plan } },
    planned: planned.map(({ layer, rule, count, size, stored, effective }) => {
      const { part: _part, ...known } = layer;
      return { layer: known, rule, count, size, rescale, constraint, lrScale, stored, effective };
    }),
  };
}

describe('parseSaved', () => {
  it('gives back what structured cloning kept', () => {
    expect(parseSaved(structuredClone(saved))).toEqual(saved);
  });

  it('reads runs of the first version: what they do not say was LyCORIS’s Diag-OFT', () => {
    const read = parseSaved(structuredClone(old(saved)));
    expect(read.checkpoint).toEqual(saved.checkpoint);
    const { blocks: _, ...settings } = defaultSettings;
    for (const [i, p] of read.planned.entries()) {
      expect(p).toMatchObject({ ...settings, stages: 1, share: false, width: p.layer.out });
      const { layer, count, size, stored, effective } = saved.planned[i]!;
      expect(p).toMatchObject({ layer: { path: layer.path }, count, size, stored, effective });
    }
    expect(read).toMatchObject({ adapter: null, residual: 1 });
    expect(read.layers.map((l) => l.path)).toEqual(saved.planned.map((p) => p.layer.path));
  });

  it.each([
    ['a layer without a width', { planned: [{ layer: { path: 'x' }, count: 1, size: 1 }] }],
    ['no layers', { planned: [] }],
    ['an adapter without a hash', { adapter: { name: 'x' } }],
    ['numbers of another plan', { planned: 'first' }],
  ])('refuses %s', (_, change) => {
    const planned = 'planned' in change && change.planned === 'first' ? saved.planned.slice(1) : undefined;
    expect(() => parseSaved({ ...saved, ...change, ...(planned && { planned }) })).toThrow();
  });
});
