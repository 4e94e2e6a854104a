/** @file The screen "about". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./About.svelte') };
