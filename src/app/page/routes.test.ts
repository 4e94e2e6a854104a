/** @file Addresses name views and nothing else, both ways. */
import { describe, expect, it } from 'vitest';
import { addressOf, HOME, parseRoute, type Route, routeTo } from './routes.ts';
import { SCREENS } from './screens.ts';

const screens = SCREENS;
const subjects = ['', 'language', '7f0e-3a', 'https://example.org/a model/?x=1#y', 'ä/ö%2', '../..', '%'];

describe('an address', () => {
  it('leads back to its view, whatever the view is of', () => {
    for (const screen of screens)
      for (const of of screen === 'home' ? [''] : subjects) {
        const route = routeTo(screen, of);
        expect(parseRoute(addressOf(route))).toEqual(route);
      }
  });

  it('is the first screen where there is none, and a link of a job is one of its own', () => {
    for (const hash of ['', '#', '#/']) expect(parseRoute(hash)).toEqual(HOME);
    const link = '#v1:abc_-';
    expect(parseRoute(link)).toEqual({ screen: 'home', of: '', link } satisfies Route);
    expect(addressOf(parseRoute(link)!)).toBe(link);
  });

  it('of no view is refused, and one cut off in the middle of a character is taken as it stands', () => {
    for (const hash of ['#/nowhere', '#top', '#/newer/language']) expect(parseRoute(hash)).toBeNull();
    expect(parseRoute('#/run/%E4%B')).toEqual(routeTo('run', '%E4%B'));
  });
});
