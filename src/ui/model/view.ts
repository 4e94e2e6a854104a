/** @file The screen "model". */
import type { View } from '../view.ts';

export const view: View = { load: () => import('./Model.svelte') };
