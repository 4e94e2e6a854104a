/** @file What ONNX Runtime's profiler prints, an event a line, as the time of each kernel. */

export interface Kernel {
  readonly op: string;
  /** As our graph, or ONNX Runtime's fusions, call it. */
  readonly node: string;
  /** Milliseconds: the least of all rounds, which other work on the machine disturbs the least. */
  readonly ms: number;
}

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string; readonly node_index?: string };
}

/** @param text all that was printed */
export function kernelsOf(text: string): Kernel[] {
  const least = new Map<string, Kernel>();
  for (const line of text.split('\n')) {
    const own = line.trim().replace(/,$/, '');
    if (!own.startsWith('{')) continue;
    const { cat, name, dur, args } = JSON.parse(own) as Event;
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const ms = dur / 1000;
    const key = args.node_index ?? name;
    const before = least.get(key);
    if (!before || ms < before.ms)
      least.set(key, { op: args.op_name ?? '?', node: name.slice(0, -'_kernel_time'.length), ms });
  }
  return [...least.values()];
}

/** Milliseconds by operator. */
export function byOperator(kernels: readonly Kernel[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { op, ms } of kernels) sums.set(op, (sums.get(op) ?? 0) + ms);
  return sums;
}
