/** @file The safetensors file format, which data come in too: tasks read it, adapters are written in it. */
export { readSafetensors, type Safetensors, writeSafetensors } from '#src/tasks/arrays/safetensors.ts';
