/** @file The newest question alone is answered, one at a time; strengths of it are asked once. */
import { describe, expect, it } from 'vitest';
import type { AskRequest, Outcome, Said } from '#workers/protocol.ts';
import { FakeTrainer } from '../testing/fakeTrainer.ts';
import { Trying } from './trying.svelte.ts';

function setUp() {
  const trainer = new FakeTrainer({ pace: 1 });
  const asked: AskRequest[] = [];
  let inFlight = 0;
  let most = 0;
  const ask = trainer.ask.bind(trainer);
  trainer.ask = async (request): Promise<Outcome<readonly Said[]>> => {
    asked.push(request);
    most = Math.max(most, ++inFlight);
    const outcome = await ask(request);
    inFlight--;
    return outcome;
  };
  return { trainer, trying: new Trying(trainer, 7), asked, most: () => most };
}

describe('Trying', () => {
  it('asks for before and after at once', async () => {
    const { trying, asked } = setUp();
    await trying.ask({ texts: ['hello'] });
    expect(asked).toEqual([{ texts: ['hello'], seed: 7, strengths: [0, 1] }]);
    expect([trying.before?.strength, trying.after?.strength]).toEqual([0, 1]);
    expect(trying.after?.items[0]?.shares?.[0]?.name).toBe('fox');
    expect(trying.before?.items[0]?.shares?.[0]?.name).toBe('owl');
  });

  it('asks for another strength once, and never again for the untouched model', async () => {
    const { trying, asked } = setUp();
    await trying.ask({ texts: ['hello'] });
    for (const strength of [0.9, 0.7, 0.5]) trying.set(strength);
    expect(trying.waiting).toBe(true);
    await expect.poll(() => trying.after?.strength).toBe(0.5);
    trying.set(1);
    expect([trying.waiting, trying.after?.strength]).toEqual([false, 1]);
    trying.set(0);
    expect(trying.after).toBe(trying.before);
    expect(asked.map(({ strengths }) => strengths)).toEqual([[0, 1], [0.5]]);
  });

  it('has one request in flight, and answers the newest question of many', async () => {
    const { trying, asked, most } = setUp();
    const all = Array.from({ length: 9 }, (_, i) => trying.ask({ texts: [`frame ${i}`] }));
    await Promise.all(all);
    expect(most()).toBe(1);
    expect(asked.map(({ texts }) => texts![0])).toEqual(['frame 0', 'frame 8']);
    expect(trying.after?.items[0]?.name).toBe('frame 8');
    expect(trying.busy).toBe(false);
  });

  it('says why not, shows nothing of before, and takes the next question', async () => {
    const { trainer, trying } = setUp();
    await trying.ask({ texts: ['hello'] });
    const { ask } = trainer;
    trainer.ask = async () => ({ ok: false, problem: { code: 'bad-data', message: 'No picture.' } });
    await trying.ask({ texts: ['again'] });
    expect([trying.problem?.message, trying.after]).toEqual(['No picture.', null]);
    trainer.ask = ask;
    await trying.ask({ texts: ['third'] });
    expect(trying.problem).toBeNull();
    expect(trying.after?.items[0]?.name).toBe('third');
  });
});
