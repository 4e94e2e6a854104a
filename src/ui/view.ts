/** @file What a screen's folder gives: its component, loaded when it is first shown. */
import type { Component } from 'svelte';
import type { Lab } from '#src/app/lab.svelte.ts';
import type { Screen } from '#src/app/page/screens.ts';

export interface View {
  readonly load: (lab: Lab) => Promise<{ readonly default: Component }>;
}

const found = import.meta.glob<{ view: View }>('./*/view.ts', { eager: true });

/** A screen's view. Throws where its folder has none. */
export function viewOf(screen: Screen): View {
  const module = found[`./${screen}/view.ts`];
  if (!module) throw new Error(`src/ui/${screen} has no view.ts.`);
  return module.view;
}
