/** @file Colours to draw with: a few that go together, and those that a person adds. */

export interface Colour {
  /** 0xRRGGBB. */
  readonly value: number;
  readonly name: string;
}

export const PALETTE: readonly Colour[] = [
  { value: 0, name: 'black' },
  { value: 0xff_ff_ff, name: 'white' },
  { value: 0x8b_85_90, name: 'grey' },
  { value: 0xd6_2f_2f, name: 'red' },
  { value: 0xf0_8a_24, name: 'orange' },
  { value: 0xf6_cf_3f, name: 'yellow' },
  { value: 0x4f_a1_4a, name: 'green' },
  { value: 0x2f_9e_9b, name: 'teal' },
  { value: 0x3b_72_d9, name: 'blue' },
  { value: 0x7a_4f_c9, name: 'purple' },
  { value: 0xe8_7a_a8, name: 'pink' },
  { value: 0x8a_5a_34, name: 'brown' },
];

/** "#d62f2f", as style sheets and colour inputs write it. */
export const hexOf = (value: number): string => `#${value.toString(16).padStart(6, '0')}`;

/** 0xRRGGBB of "#d62f2f"; null: it is none. */
export const valueOf = (hex: string): number | null =>
  /^#[\da-f]{6}$/i.test(hex) ? Number.parseInt(hex.slice(1), 16) : null;

/** "red", or what style sheets would write. */
export const colourName = (value: number): string =>
  PALETTE.find((colour) => colour.value === value)?.name ?? hexOf(value);

/** Own colours first in, last kept. */
const OWN = 12;

/** The own colours with one more; those that are there already are not there twice. */
export function withColour(own: readonly number[], value: number): readonly number[] {
  if (own.includes(value) || PALETTE.some((colour) => colour.value === value)) return own;
  return [...own, value].slice(-OWN);
}
