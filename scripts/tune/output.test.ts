/** @file Where results go: no byte of anyone's file changes, over random folders, runs, interruptions and meddling. */
import fc from 'fast-check';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { MARKER, RunFolder } from './output.mjs';
import { RESULTS } from './places.mjs';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'rotune-')));
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (path: string): string => join(root, path);
function put(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}

/** Every file and link below a folder by its path. */
function contents(folder = root): Map<string, string> {
  const all = new Map<string, string>();
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const found = lstatSync(path);
    if (found.isSymbolicLink()) all.set(relative(root, path), `→ ${readlinkSync(path)}`);
    else if (found.isDirectory()) for (const [key, value] of contents(path)) all.set(key, value);
    else all.set(relative(root, path), readFileSync(path, 'utf8'));
  }
  return all;
}

/** What `npm run tune` does with its folder, to the end. */
function wholeRun(out: string, text: string): string[] {
  const run = RunFolder.begin(at(out), []);
  writeFileSync(run.jobFile, '{}');
  run.training();
  const written = [
    'log.jsonl',
    'adapter.safetensors',
    'peft/adapter_config.json',
    'merged/model.onnx',
    'run.json',
  ];
  const paths = written.map((path) => run.write(path, text));
  run.settle('finished');
  return paths;
}

describe('a folder for results', () => {
  it('is new, empty, or one of ours', () => {
    mkdirSync(at('empty'));
    put('litter/.DS_Store', 'x');
    for (const out of ['new/deep', 'empty', 'litter']) expect(wholeRun(out, 'a')).toContain('run.json');
    expect(readFileSync(at('litter/.DS_Store'), 'utf8')).toBe('x');
  });

  it.each([
    ['a file named .profile', '.profile'],
    ['a folder of that name', '.profile/job.json'],
    ['a marker that is a file', MARKER],
    ['a marker without our list', `${MARKER}/made.json`],
    ['a picture', 'after.png'],
  ])('is not one with %s', (_, path) => {
    put(`home/${path}`, 'export PATH');
    const before = contents();
    expect(() => RunFolder.begin(at('home'), [])).toThrow(
      /did not make .*left as they are\. Name a new or empty folder with --out/,
    );
    expect(() => RunFolder.begin(at('home'), [])).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(contents()).toEqual(before);
  });

  it('is no file, and no link into nothing', () => {
    put('file', 'x');
    symlinkSync('nowhere', at('link'));
    expect(() => RunFolder.begin(at('file'), [])).toThrow(/is a file/);
    expect(() => RunFolder.begin(at('link'), [])).toThrow(/leads nowhere/);
    symlinkSync('loop', at('loop'));
    for (const out of ['file/below', 'loop', 'loop/below', 'n'.repeat(300)])
      expect(() => RunFolder.begin(at(out), [])).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  it('holds no inputs, by whatever way they are named', () => {
    wholeRun('oo', 'a');
    symlinkSync('oo', at('alias'));
    const before = contents();
    for (const [out, path] of [
      ['oo', 'oo/adapter.safetensors'],
      ['oo', 'alias/adapter.safetensors'],
      ['alias', 'oo/peft'],
      ['oo', 'oo'],
    ])
      expect(() => RunFolder.begin(at(out!), [{ what: 'the adapter', path: at(path!) }])).toThrow(
        /^the adapter .* lies in the folder for the results/,
      );
    expect(contents()).toEqual(before);
    expect(RunFolder.begin(at('o'), [{ what: 'the adapter', path: at('oo/peft') }]).path).toBe(at('o'));
  });

  it('keeps the checkpoints of a run that is not finished', () => {
    const run = RunFolder.begin(at('out'), []);
    writeFileSync(run.jobFile, '{}');
    put(relative(root, join(run.profile, 'db')), 'checkpoint');
    run.training();
    const before = contents();
    expect(() => RunFolder.begin(at('out'), [])).toThrow(/not finished\. Go on with it: --resume --out /);
    expect(contents()).toEqual(before);
    expect(RunFolder.resume(at('out')).state).toBe('training');
    expect(() => RunFolder.resume(at('elsewhere'))).toThrow(/holds no run to go on with/);
  });

  it('moves the results of an earlier run aside, whole, and back if nothing comes of the new one', () => {
    wholeRun('out', 'first');
    put('out/notes.txt', 'mine');
    const before = contents();
    const run = RunFolder.begin(at('out'), []);
    expect(run.movedTo).toBe(at('out/earlier-1'));
    expect(existsSync(at('out/earlier-1/peft/adapter_config.json'))).toBe(true);
    expect(RunFolder.resume(at('out/earlier-1')).state).toBe('finished');
    run.abandon();
    expect(contents()).toEqual(before);
    wholeRun('out', 'second');
    expect(readFileSync(at('out/earlier-1/run.json'), 'utf8')).toBe('first');
    expect(readFileSync(at('out/run.json'), 'utf8')).toBe('second');
    expect(readFileSync(at('out/notes.txt'), 'utf8')).toBe('mine');
  });

  it('is refused where a result was changed, or a stranger has a result’s name', () => {
    wholeRun('changed', 'a');
    put('changed/run.json', 'edited');
    expect(() => RunFolder.begin(at('changed'), [])).toThrow(/run\.json was changed/);
    wholeRun('strange', 'a');
    put('strange/after.txt', 'mine');
    expect(() => RunFolder.begin(at('strange'), [])).toThrow(/after\.txt is not of Rotune/);
  });

  it('takes another name where a stranger came in between', () => {
    const run = RunFolder.begin(at('out'), []);
    put('out/run.json', 'mine');
    symlinkSync(root, at('out/peft'));
    expect(run.write('run.json', 'ours')).toBe('run-2.json');
    expect(run.write('peft/a.json', 'ours')).toBe('peft-2/a.json');
    expect(run.write('run.json', 'again')).toBe('run-2.json');
    expect(readFileSync(at('out/run.json'), 'utf8')).toBe('mine');
  });

  it('a run that came to nothing leaves nothing', () => {
    const before = contents();
    RunFolder.begin(at('runs/demo'), []).abandon();
    expect(contents()).toEqual(before);
    expect(existsSync(at('runs'))).toBe(false);
  });
});

const name = fc.constantFrom(
  ...RESULTS.map((r) => r.replace(/\/$/, '')),
  ...['.profile', MARKER, 'earlier-1', 'notes.txt', '.bashrc', 'made.json', 'job.json', 'a b', 'ü'],
);
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const tree = fc.array(
  fc.record({
    path: place,
    kind: fc.constantFrom('file', 'file', 'file', 'link', 'list'),
    text: fc.string({ maxLength: 9 }),
  }),
  { maxLength: 6 },
);
/** What happens to a folder: runs that end in all ways, and people who put things there between and during them. */
const event = fc.oneof(
  fc.record({
    kind: fc.constant('run' as const),
    end: fc.constantFrom('finished', 'training', 'abandon', 'killed', 'nothing'),
  }),
  fc.record({ kind: fc.constant('resume' as const) }),
  fc.record({ kind: fc.constant('put' as const), things: tree }),
);

describe('whatever lies there and happens', () => {
  it('not a foreign byte changes, in random folders', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        tree,
        fc.boolean(),
        fc.array(event, { minLength: 1, maxLength: 6 }),
        tree,
        (things, ours, events, meddling) => {
          rmSync(at('case'), { recursive: true, force: true });
          mkdirSync(at('case/out'), { recursive: true });
          put('case/outside/secret', 'secret');
          /** Everything that people put there, as they left it. */
          const foreign = new Map<string, string>([['case/outside/secret', 'secret']]);
          const people = (list: typeof things): void => {
            for (const { path, kind, text } of list) {
              const whole = join('case/out', path);
              try {
                mkdirSync(dirname(at(whole)), { recursive: true });
                if (
                  realpathSync(dirname(at(whole))) !== dirname(at(whole)) ||
                  lstatSync(at(whole), { throwIfNoEntry: false })
                )
                  continue;
                if (kind === 'link') symlinkSync(at('case/outside'), at(whole));
                else
                  writeFileSync(
                    at(whole),
                    kind === 'list' ? '{"tool":"rotune tune","state":"finished","made":{"../x":null}}' : text,
                    { flag: 'wx' },
                  );
              } catch {
                continue;
              }
              foreign.set(whole, contents(at('case')).get(whole)!);
            }
          };
          if (ours) wholeRun('case/out', 'earlier');
          people(things);
          for (const step of [{ kind: 'run', end: 'killed' } as const, ...events]) {
            if (step.kind === 'put') {
              people(step.things);
              continue;
            }
            try {
              const run =
                step.kind === 'run' ? RunFolder.begin(at('case/out'), []) : RunFolder.resume(at('case/out'));
              if (step.kind === 'run') writeFileSync(run.jobFile, '{}');
              taken++;
              if (step.kind === 'run' && step.end === 'abandon') {
                run.abandon();
                continue;
              }
              run.training();
              people(meddling);
              for (const path of ['log.jsonl', 'peft/a', 'merged/m.onnx', 'before.png', 'run.json'])
                run.write(path, 'ours');
              if (step.kind === 'resume' || step.end === 'finished' || step.end === 'training')
                run.settle(step.kind === 'run' && step.end === 'training' ? 'training' : 'finished');
              else if (step.end === 'nothing') {
                run.cameToNothing();
                run.abandon();
              }
            } catch (error) {
              expect(error).toMatchObject({ exitCode: 2 });
            }
          }
          const now = contents(at('case'));
          for (const [path, text] of foreign) expect([path, now.get(path)]).toEqual([path, text]);
        },
      ),
      { numRuns: depth(50, 200) },
    );
    expect(taken).toBeGreaterThan(depth(13, 50));
  });
});
