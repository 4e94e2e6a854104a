/** @file Which values the names of a file stand for while it is imported. */
import type { Value } from '#src/graph/types.ts';
import type { ModelGraph } from '#src/onnx/model.ts';

/** Names of one graph or subgraph, with those around it. */
export class Scope {
  readonly values = new Map<string, Value>();
  readonly sequences = new Map<string, readonly Value[]>();
  constructor(
    readonly graph: ModelGraph,
    readonly outer?: Scope,
  ) {}

  find(name: string): Value | undefined {
    return this.values.get(name) ?? this.outer?.find(name);
  }
  sequence(name: string): readonly Value[] | undefined {
    return this.sequences.get(name) ?? this.outer?.sequence(name);
  }
  knows(name: string): boolean {
    return (
      this.values.has(name) ||
      this.graph.initializers.has(name) ||
      (this.outer !== undefined && (this.outer.sequence(name) !== undefined || this.outer.knows(name)))
    );
  }
  /** The scope whose initializers hold the name. */
  holder(name: string): Scope | undefined {
    return this.graph.initializers.has(name) ? this : this.outer?.holder(name);
  }
}
