/** @file What the page's components show of a plan: the preflight's types, and facts of layers. */
export type { Preflight, PreflightRow, Root, ToolVerdict } from '#src/oft/preflight/preflight.ts';
export { choiceKind, fanIn, settingsOf } from '#src/oft/plan/planned.ts';
export { roleOf } from '#src/oft/layers/roles.ts';
