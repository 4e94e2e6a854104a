/** @file The screen "train". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./Train.svelte') };
