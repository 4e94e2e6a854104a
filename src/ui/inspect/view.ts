/** @file The screen "inspect". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./Inspect.svelte') };
