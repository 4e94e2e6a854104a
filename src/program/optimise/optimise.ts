/** @file A program's graph with fewer nodes and the same results. Pure; every pass takes a graph and gives one. */
import { prune } from '#src/graph/prune.ts';
import type { Graph } from '#src/graph/types.ts';
import { mergeNodes } from './merge.ts';
import { transposeBeforeSplit } from './transposes.ts';

export const optimise = (graph: Graph): Graph => prune(transposeBeforeSplit(prune(mergeNodes(graph))));
