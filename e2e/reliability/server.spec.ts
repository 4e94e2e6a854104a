/** @file While `npm run tune` trains, its server gives out the page and the job's own files; nothing else, and nothing to other hosts. */
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { ROOT } from '../../scripts/ensure.mjs';
import { serve } from '../../scripts/serve.mjs';
import { addressed } from '../../scripts/tune/browser.mjs';
import { inputsOf } from '../../scripts/tune/inputs.ts';
import { expect, test } from '../pages/test.ts';
import { type Answer, addresses, ask, FOREIGN_HOSTS } from './addresses.ts';
import { JOB } from './longRun.ts';
import { Tally } from './tally.ts';
import { loggedAfter, tune } from './tuneCommand.ts';

const PATHS = 3000;
const SECRET = 'theirs alone';
const OUTCOME = 'Nothing but the page and, at addresses that nobody can guess, the job’s own files';
const NEIGHBOURS = ['.env', 'other.safetensors', 'deep/other.txt', '../beside.txt', 'link.safetensors'];

const REFUSALS: readonly number[] = [400, 404, 405, 413, 414, 421, 431];
/** What stands in neighbours of the job's files, in this folder's, and in the machine's own. */
const LEAKS = [SECRET, 'root:x:', '"private": true', '[core]'];

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Of all that the page consists of. */
const pageFiles = new Set(
  readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(ROOT, 'dist', name))
    .filter((file) => statSync(file).isFile())
    .map((file) => sha(readFileSync(file))),
);

/** A job with one array file of its own, and what lies beside it. @returns its folder of data */
function jobFolder(root: string): string {
  const data = join(root, 'data');
  for (const name of NEIGHBOURS.slice(0, -1)) {
    mkdirSync(dirname(join(data, name)), { recursive: true });
    writeFileSync(join(data, name), SECRET);
  }
  symlinkSync('../beside.txt', join(data, NEIGHBOURS.at(-1)!));
  const numbers = (width: number) => ({
    type: 'float32' as const,
    shape: [64, width],
    data: Float32Array.from({ length: 64 * width }, (_, i) => Math.sin(i)),
  });
  writeFileSync(
    join(data, 'rows.safetensors'),
    writeSafetensors(
      new Map([
        ['x', numbers(4)],
        ['y', numbers(2)],
      ]),
    ),
  );
  writeFileSync(
    join(root, 'job.toml'),
    JOB.replace('builtin:turned-waves/train', 'data/rows.safetensors')
      .replace('builtin:turned-waves/heldout', '')
      // Seldom heard of: the command is there for its server.
      .replace('accumulate = 16', 'accumulate = 512')
      .replace(/steps = \d+/, 'steps = 1000000'),
  );
  return realpathSync(data);
}

/**
 * What is wrong with an answer that is neither a refusal nor a file of the page; null: nothing. Plain comparisons, since they are thousands.
 * @param given SHA-256 of the job's file, where it was asked for by its own address
 */
function harm({ status, body }: Answer, given: string | null): string | null {
  if (status !== 200 && !REFUSALS.includes(status)) return `answered with ${status}`;
  if (LEAKS.some((leak) => body.includes(leak)))
    return `told what it must not: ${body.toString('latin1', 0, 200)}`;
  if (status !== 200) return null;
  const hash = sha(body);
  return hash === given || pageFiles.has(hash) ? null : `gave out ${body.toString('latin1', 0, 200)}`;
}

/** Asks for them all, some at a time. */
async function askAll(
  tally: Tally,
  port: number,
  paths: readonly string[],
  given: ReadonlyMap<string, string>,
) {
  for (let i = 0; i < paths.length; i += 25)
    await Promise.all(
      paths.slice(i, i + 25).map((path) =>
        tally.try(path.slice(0, 200), async () => {
          const meant = URL.canParse(path, 'http://localhost')
            ? new URL(path, 'http://localhost').pathname
            : '';
          const wrong = harm(await ask(port, path), given.get(meant) ?? null);
          if (wrong !== null) throw new Error(wrong);
        }),
      ),
    );
}

test('while it trains', async () => {
  const root = test.info().outputPath('tune');
  const data = jobFolder(root);
  const out = join(root, 'out');
  const command = tune([join(root, 'job.toml'), '--out', out]);
  try {
    await loggedAfter(command, out, 0);
    const args = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const line = args.split('\n').find((each) => each.includes(out) && each.includes('host-resolver-rules'));
    const port = Number(/rotune\.localhost:80 127\.0\.0\.1:(\d+)/.exec(line ?? '')?.[1]);
    expect(port).toBeGreaterThan(0);

    const paths = new Tally({
      kind: '`npm run tune`’s server',
      fault:
        'Addresses that lead upwards, are hidden, encoded once or twice, linked, too long, while it trains',
      outcome: OUTCOME,
    });
    const names = [
      ...data.split('/').filter(Boolean),
      ...NEIGHBOURS.flatMap((name) => name.split('/')),
      'rows.safetensors',
      data,
    ];
    const seed = Date.now() % 2 ** 31;
    test.info().annotations.push({ type: 'seed', description: String(seed) });
    await askAll(paths, port, fc.sample(addresses(names), { numRuns: PATHS, seed }), new Map());

    const hosts = new Tally({
      kind: '`npm run tune`’s server',
      fault: 'Requests by the names of other hosts, as a page of theirs sends them whose name leads here',
      outcome: 'Refused',
    });
    for (const host of FOREIGN_HOSTS)
      await hosts.try(host, async () => {
        const { status, body } = await ask(port, '/', host);
        expect([400, 421]).toContain(status);
        expect(pageFiles).not.toContain(sha(body));
      });
    expect([...paths.broken, ...hosts.broken]).toEqual([]);
  } finally {
    command.process.kill('SIGINT');
    await command.ended;
  }
});

test('by someone who knows the job’s addresses', async () => {
  const data = jobFolder(test.info().outputPath('server'));
  const file = join(data, 'rows.safetensors');
  const { files, inputs } = addressed({
    train: { name: 'data', files: (await inputsOf(file)).files },
  });
  const [own] = inputs.train!.files;
  const [, , secret = ''] = own!.url.split('/');
  const server = await serve({ files });
  const tally = new Tally({
    kind: '`npm run tune`’s server',
    fault: 'The same by someone who knows the addresses of the job’s files',
    outcome: OUTCOME,
  });
  try {
    expect(sha((await ask(server.port, own!.url)).body)).toBe(sha(readFileSync(file)));
    const names = [
      secret,
      `.local/${secret}`,
      `.local/${secret}/train`,
      own!.url,
      ...data.split('/').filter(Boolean),
      ...NEIGHBOURS,
    ];
    const seed = Date.now() % 2 ** 31;
    const paths = fc.sample(addresses(names), { numRuns: PATHS, seed });
    await askAll(
      tally,
      server.port,
      paths,
      new Map([[decodeURIComponent(own!.url), sha(readFileSync(file))]]),
    );
    expect(tally.broken).toEqual([]);
  } finally {
    await server.close();
  }
});
