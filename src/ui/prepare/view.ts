/** @file The screen "prepare". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./Prepare.svelte') };
