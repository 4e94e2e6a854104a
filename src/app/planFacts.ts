/** @file What the page's components show of a plan: the preflight's types, and facts of layers. */
export type { Preflight, PreflightRow, Root, ToolVerdict } from '#src/oft/preflight.ts';
export { choiceKind, fanIn, settingsOf } from '#src/oft/planned.ts';
export { roleOf } from '#src/oft/roles.ts';
