/** @file A made-up chat of two people, one of whom has a manner: the same for the same seed. */
import { dice } from '#src/tasks/testing/fuzz.ts';
import type { Said } from './written.ts';

const NOUNS = ['cat', 'robot', 'dragon', 'fox', 'boat', 'lamp', 'map', 'hill'] as const;
const KINDS = ['small', 'old', 'happy', 'red', 'lost', 'quiet'] as const;
const DEEDS = [
  'found a map',
  'sat on the hill',
  'ran to the boat',
  'saw a lamp',
  'lost the map',
  'said no',
] as const;

/** Who has the manner: every answer begins and ends as no story does. */
export const MADE_SPEAKER = 'Ben';

/**
 * Messages of about a dozen to a conversation, hours of silence between.
 * @param count of messages
 */
export function madeChat(count: number, seed = 1): Said[] {
  const d = dice(seed);
  let time = Date.UTC(2022, 0, 17, 8) / 1000;
  let speaker = 'Anna';
  return Array.from({ length: count }, () => {
    time += d.chance(0.08) ? 3600 * (8 + d.whole(40)) : 5 + d.whole(600);
    // Some say two things at a stretch.
    if (!d.chance(0.15)) speaker = speaker === 'Anna' ? MADE_SPEAKER : 'Anna';
    const plain = `the ${d.pick(KINDS)} ${d.pick(NOUNS)} ${d.pick(DEEDS)}`;
    return {
      speaker,
      time: time * 1000,
      text: speaker === MADE_SPEAKER ? `aye aye! ${plain}, my friend.` : `${plain}.`,
    };
  });
}
