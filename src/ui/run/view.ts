/** @file The screen "run". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./Run.svelte') };
