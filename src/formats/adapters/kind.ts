/** @file What is said of a kind of adapter file: words, what it can hold, and how it is written and read. One file in kinds/ for each. */
import type { Tool } from '#src/oft/modules/readers.ts';
import type { WholeValues } from '#src/oft/rotation/parameters.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { Safetensors } from '../files/safetensors.ts';
import type { AdapterInput, ReadAdapter, WrittenFile } from './adapterTypes.ts';
import type { Fit } from './fit.ts';
import type { PeftConfig } from './peft/peftRead.ts';

/** A constant that was trained as it is. */
export type Named = Pick<WholeValues, 'name'>;

/** A safetensors file that is asked whose it is. */
export interface Unknown {
  readonly file: Safetensors;
  readonly keys: readonly string[];
  /** PEFT's adapter_config.json, where it lies beside. */
  readonly config: PeftConfig | null;
}

export interface AdapterKind {
  /** For people. */
  readonly words: {
    /** Where it will be used. */
    readonly name: string;
    /** What is saved. */
    readonly file: string;
    /** Where to put it, or how to load it. */
    readonly place: string;
  };
  /** Where it stands among the others: smaller numbers first. */
  readonly rank: number;
  /** Behind the file's name: "-comfyui". */
  readonly suffix: string;
  /** What it is made of: of rotations alone, of each weight's change, or of the whole model. */
  readonly holds: 'rotations' | 'differences' | 'model';
  /** Whose file it is: layers that they do not look for are lost to them. Absent: nobody's own. */
  readonly tools?: readonly Tool[];
  /** Tasks whose models those tools load, as in job files. Absent: whatever the task. */
  readonly tasks?: readonly string[];
  /** Whether the file has the layer; absent: it has all. */
  readonly takes?: (layer: PlannedLayer) => boolean;
  /** What becomes of constants that were trained as they are, in sentences; absent: they are in no file of this kind. */
  readonly head?: (whole: readonly Named[]) => string[];
  /** Whether it can hold the adapter, and what it loses. Throws nothing. */
  readonly fit: (planned: readonly PlannedLayer[]) => Fit;
  /** Throws FormatError where it cannot hold it; paths are relative to the adapter's folder. */
  readonly write: (input: AdapterInput) => Promise<readonly WrittenFile[]>;
  /** Absent: it is never read. Whose keys say that it is theirs reads it; FormatError says what does not fit. */
  readonly recognises?: (file: Unknown) => boolean;
  readonly read?: (file: Unknown, layers: readonly Layer[]) => ReadAdapter;
}

/** The one file of most kinds. */
export const oneFile = (bytes: Uint8Array): WrittenFile[] => [{ path: 'adapter.safetensors', bytes }];
