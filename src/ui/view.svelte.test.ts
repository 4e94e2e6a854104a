/** @file Every screen has a folder with a view, and no view is of no screen. */
import { expect, it } from 'vitest';
import { SCREENS } from '#src/app/page/screens.ts';
import { viewOf } from './view.ts';

it('has a view for every screen but the first, which is there at once', () => {
  const folders = Object.keys(import.meta.glob('./*/view.ts')).map((path) => path.split('/')[1]);
  expect(folders.sort()).toEqual([...SCREENS].filter((screen) => screen !== 'home').sort());
  for (const screen of SCREENS) if (screen !== 'home') expect(viewOf(screen).load).toBeTypeOf('function');
  expect(() => viewOf('home')).toThrow('src/ui/home has no view.ts.');
});
