import { expect, it } from 'vitest';
import { besides } from './popovers.ts';

const view = { width: 390, height: 800 };

it('stands below its button, or above where there is more room', () => {
  expect(besides({ left: 20, top: 100, bottom: 124 }, 320, view)).toEqual({
    left: 20,
    top: 130,
    bottom: null,
  });
  expect(besides({ left: 20, top: 700, bottom: 724 }, 320, view)).toEqual({
    left: 20,
    top: null,
    bottom: 106,
  });
});

it('never leaves the window', () => {
  expect(besides({ left: 360, top: 100, bottom: 124 }, 320, view).left + 320).toBeLessThanOrEqual(390);
  expect(besides({ left: -5, top: 100, bottom: 124 }, 380, view).left).toBeGreaterThanOrEqual(0);
});
