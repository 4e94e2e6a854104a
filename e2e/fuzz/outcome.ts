/** @file What became of a case: read, refused in words for people, or neither. */
import { refusalFault, shownFault } from '../golden/messages/shown.ts';
import type { FuzzKind } from './kind.ts';

export interface Outcome {
  /** `raw`: an error that is none of ours, or whose words are for nobody. */
  readonly was: 'read' | 'refused' | 'raw';
  /** Of a raw one: what was wrong with it. */
  readonly why: string;
  /** Milliseconds of the processor, which do not grow when others use it, too. */
  readonly ms: number;
}

/** Brings a case to its door. Throws nothing. */
export async function outcomeOf(kind: FuzzKind, input: Uint8Array): Promise<Outcome> {
  const before = process.cpuUsage();
  const done = (was: Outcome['was'], why = ''): Outcome => {
    const { user, system } = process.cpuUsage(before);
    return { was, why, ms: (user + system) / 1000 };
  };
  try {
    const said = await kind.read(input);
    for (const problem of said) {
      const wrong = shownFault(problem);
      if (wrong !== null) return done('raw', wrong);
    }
    return done(said.length > 0 ? 'refused' : 'read');
  } catch (error) {
    const wrong = refusalFault(error);
    return wrong === null ? done('refused') : done('raw', wrong);
  }
}
