/** @file `npm run tune`, killed or told to end in mid-run: --resume goes on with it, to the same bytes. */
import { rmSync, writeFileSync } from 'node:fs';
import { expect, test } from '../pages/test.ts';
import { JOB, judge } from './longRun.ts';
import { Tally } from './tally.ts';
import { adapterIn, logged, loggedAfter, tune, tuned } from './tuneCommand.ts';

const OUTCOME = '`--resume` goes on from the last saved step; the adapter is the same to the byte';

for (const [fault, signals] of [
  ['`npm run tune` is killed with SIGKILL', ['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL']],
  ['`npm run tune` gets SIGINT or SIGTERM', ['SIGINT', 'SIGTERM', 'SIGINT', 'SIGTERM', 'SIGINT']],
] as const)
  test(fault, async () => {
    const tally = new Tally({ kind: 'Killed', fault, outcome: OUTCOME });
    const at = (name: string): string => test.info().outputPath(name);
    writeFileSync(at('job.toml'), JOB);
    await tuned([at('job.toml'), '--out', at('whole')]);
    const expected = adapterIn(at('whole'));

    await judge(
      tally,
      signals.map((signal, i) => `${i + 1}, ${signal}`),
      async () => {
        const out = at('cut');
        for (const [i, signal] of signals.entries()) {
          const resume = i > 0;
          const before = resume ? logged(out) : 0;
          const command = tune([...(resume ? ['--resume'] : [at('job.toml')]), '--out', out]);
          await loggedAfter(command, out, before);
          await new Promise((done) => setTimeout(done, Math.random() * 500));
          command.process.kill(signal);
          const { status, said } = await command.ended;
          test.info().annotations.push({ type: signal, description: `${status}, ${logged(out)} logged` });
          expect(status, said).toBe({ SIGINT: 130, SIGTERM: status, SIGKILL: 'SIGKILL' }[signal]);
          expect(logged(out), said).toBeLessThan(400);
          // At once: what the killed command left running must not stand in the way.
        }
        await tuned(['--resume', '--out', out]);
        expect(adapterIn(out)).toBe(expected);
      },
    );
    for (const name of ['whole', 'cut']) rmSync(at(name), { recursive: true, force: true });
    expect(tally.broken).toEqual([]);
  });
