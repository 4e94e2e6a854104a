/** @file Gives components the page's state without handing it through every level. */
import { createContext } from 'svelte';
import type { Lab } from '#src/app/lab.svelte.ts';

export const [getLab, setLab] = createContext<Lab>();
