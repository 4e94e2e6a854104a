/** @file The screen "new". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./New.svelte') };
