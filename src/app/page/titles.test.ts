import { expect, it } from 'vitest';
import { SCREENS, type Screen } from './screens.ts';
import { type Seen, titleOf } from './titles.ts';

const at = (screen: Screen, run: Partial<Seen['run']> = {}, opened: string | null = null) =>
  titleOf({ screen, task: 'Write text', run: { busy: false, progress: 0, status: 'idle', ...run }, opened });

it.each([
  ['home', 'Rotune'],
  ['model', 'Model · Rotune'],
  ['new', 'Write text · Rotune'],
  ['words', 'Words · Rotune'],
  ['about', 'About · Rotune'],
] as const)('names the view %s', (screen, title) => {
  expect(at(screen)).toBe(title);
});

it('says on every view how far a run is', () => {
  for (const screen of SCREENS)
    expect(at(screen, { busy: true, progress: 0.34, status: 'running' })).toBe('34\u2009% · Rotune');
});

it('says how a run ended, or which adapter is tried', () => {
  expect(at('result', { status: 'done', progress: 1 })).toBe('Done · Rotune');
  expect(at('run', { status: 'failed' })).toBe('Stopped · Rotune');
  expect(at('run', { status: 'paused' })).toBe('Paused · Rotune');
  expect(at('result', { status: 'done' }, 'style.safetensors')).toBe('style.safetensors · Rotune');
});
