/** @file An error report that a person can copy whole: plain text, sent nowhere, without prompts, captions or names of own files. */
import { publicJobText } from '#src/formats/jobs/publicJob.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendReport } from '#src/runtime/types.ts';
import type { Problem } from '#workers/protocol.ts';
import type { LoggedEvent } from './eventLog.ts';
import { versions } from '#src/platform/version.ts';

/** What the page knows when something went wrong. */
export interface ReportFacts {
  readonly problem: Problem;
  readonly job: Job | null;
  readonly backend: BackendReport | null;
  readonly events: readonly LoggedEvent[];
  /** "training, step 12 of 120" */
  readonly state: string;
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');
const time = (at: number): string => new Date(at).toISOString().slice(11, 23);

/** The present browser and page. */
function surroundings(): [string, string][] {
  const { deviceMemory } = navigator as Navigator & { readonly deviceMemory?: number };
  return [
    ['browser', navigator.userAgent],
    ['cross-origin isolated', yes(crossOriginIsolated)],
    ['secure context', yes(isSecureContext)],
    ['WebGPU', yes('gpu' in navigator)],
    ['cores', String(navigator.hardwareConcurrency)],
    ['memory', deviceMemory === undefined ? 'not told' : `${deviceMemory} GB or more`],
  ];
}

function device(backend: BackendReport | null): [string, string][] {
  if (backend === null) return [['backend', 'not known yet']];
  return [
    ['backend', `${backend.kind}: ${backend.reason}`],
    ['threads', String(backend.threads)],
    ['graphics', backend.adapter ?? 'none used'],
  ];
}

const lines = (pairs: readonly (readonly [string, string | undefined])[]): string[] =>
  pairs.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}: ${value}`]));

/** The whole report. */
export function errorReport({ problem, job, backend, events, state }: ReportFacts): string {
  const { message, code, item, safe, cure, detail } = problem;
  return [
    'Rotune error report',
    'Nothing of this was sent anywhere. Prompts, captions and names of your files are left out of the job; read the rest before you pass it on.',
    '',
    ...lines([
      ['what happened', message],
      ['code', code],
      ['item', item],
      ['safe', safe],
      ['what helps', cure],
      ['state', state],
      ['written', new Date().toISOString()],
    ]),
    '',
    '— versions and device',
    ...lines([
      ['Rotune', versions.rotune],
      ['onnxruntime-web', versions.runtime],
      ...surroundings(),
      ...device(backend),
    ]),
    '',
    '— last events (UTC)',
    ...(events.length === 0 ? ['(none)'] : events.map(({ at, words }) => `${time(at)} ${words}`)),
    '',
    '— detail',
    detail === undefined || detail === '' ? '(none)' : detail,
    '',
    '— job',
    publicJobText(job),
    '',
  ].join('\n');
}
