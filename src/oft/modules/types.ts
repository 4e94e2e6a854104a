/** @file What is said of a tool and a kind of file. */
import type { Tool } from './readers.ts';

/** Kinds of file, as src/formats/adapters/adapterFormat.ts names them. */
export type ToolFormat = 'lycoris' | 'comfyui' | 'peft' | 'oft_r' | 'diff' | 'onnx';

export interface ToolVerdict {
  readonly tool: Tool;
  /** loss: it loads, but something is lost or must be minded. */
  readonly verdict: 'loads' | 'loss' | 'no';
  /** The file to save for it; null: none helps. */
  readonly format: ToolFormat | null;
  /** What is lost, or why it does not load, in plain sentences. */
  readonly losses: readonly string[];
  /** The one change that would make it load whole; null: it does, or none is known. */
  readonly change: string | null;
  /** Layers whose keys in the file it finds, of those that the plan adapts; 0 where it does not load. */
  readonly found: number;
  readonly of: number;
  /** What the Python model must be called like, where its names are not known; null: they are. */
  readonly names: string | null;
}
