/** @file Random folders as people have them, and commands that are given in them. */
import fc from 'fast-check';

/** Names that we write, that we must leave alone, and that are hard to write. */
const NAMES = [
  ...[
    'adapter.safetensors',
    'log.jsonl',
    'run.json',
    'after.png',
    'peft',
    'merged',
    'merged.onnx',
    'report.txt',
  ],
  ...['.rotune', 'made.json', 'job.json', 'profile', 'earlier-1', 'made.json.new'],
  ...['.profile', '.git', '.DS_Store', 'notes.txt', 'a b', 'ü', '-x', 'runs', 'demo', 'out'],
];
/** A marker that no run of ours wrote. */
export const MARKER = '{"tool":"rotune tune","state":"finished","made":{"../x":null}}';
const path = fc
  .array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));
const thingAt = (where: fc.Arbitrary<string>) =>
  fc.record({
    path: where,
    kind: fc.constantFrom('file', 'file', 'file', 'folder', 'link', 'marker'),
    text: fc.string({ maxLength: 9 }),
    /** Where a link leads. */
    to: fc.constantFrom('.', '..', '../outside', 'nowhere', '../outside/secret', 'out', 'loop'),
    writable: fc.boolean(),
  });
const thing = thingAt(
  fc.oneof(
    path,
    path.map((below) => `out/${below}`),
    path.map((below) => `../outside/${below}`),
  ),
);
const things = (maxLength: number) => fc.array(thing, { maxLength });
const place = fc.oneof(
  fc.constantFrom('out', 'out', '.', '..', '../outside', 'out/deep/er', 'runs', 'new', '-x', 'a b', 'ü'),
  path,
);
const command = fc.record({
  out: fc.option(place, { freq: 8 }),
  adapter: fc.option(
    fc.oneof(
      place,
      fc.constantFrom('out/adapter.safetensors', 'out/peft', 'given', 'given/adapter.safetensors'),
    ),
    { freq: 1 },
  ),
  job: fc.option(fc.constantFrom('job.toml', 'out/job.toml', 'none.toml'), { freq: 1 }),
  resume: fc.boolean(),
  end: fc.constantFrom('finished', 'finished', 'paused', 'killed', 'failed', 'abandoned'),
  /** What people put into its folder while it trains, mostly under names of results. */
  during: fc.array(
    thingAt(
      fc.oneof(
        fc.constantFrom(...NAMES),
        path,
        path.map((below) => `../${below}`),
      ),
    ),
    { maxLength: 8 },
  ),
  after: things(3),
});
export const folderCase = fc.record({
  before: things(9),
  commands: fc.array(command, { minLength: 1, maxLength: 4 }),
});
export type FolderCase = typeof folderCase extends fc.Arbitrary<infer T> ? T : never;
