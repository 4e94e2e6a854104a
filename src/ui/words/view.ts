/** @file The screen "words". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./Words.svelte') };
