/** @file Angles in words and on a scale. */
import { expect, it } from 'vitest';
import { degrees, describeHeat, scaleEnd, sections } from './heat.ts';

it('ends the scale at a round number that holds the largest', () => {
  expect([[], [0.3], [1.01], [9], [44], [170]].map(scaleEnd)).toEqual([1, 1, 2, 12, 45, 180]);
});

it('writes angles in two figures', () => {
  expect([0, 0.0312, 4.24, 31.4].map(degrees)).toEqual(['0°', '0.031°', '4.2°', '31°']);
});

it('names the layers that turn most, and counts those that rest', () => {
  expect(describeHeat(['a', 'b', 'c'], [0, 0, 0]).words).toBe('No layer has turned yet.');
  const { most, still, words } = describeHeat(['a', 'b', 'c', 'd'], [1, 0, 7.25, 3], 2);
  expect([most, still]).toEqual([[2, 3], 1]);
  expect(words).toBe('On average turned most: c by 7.3°, d by 3°. 1 layer of 4 did not turn.');
});

it('finds where the parts of the network begin', () => {
  expect(sections(['conv_in', 'down.0.a', 'down.0.b', 'down.1.a', 'mid.a', 'mid.b'])).toEqual([
    { name: 'conv_in', at: 0 },
    { name: 'down.0', at: 1 },
    { name: 'down.1', at: 3 },
    { name: 'mid', at: 4 },
  ]);
});
