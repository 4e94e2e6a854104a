/** @file Chat templates (Jinja) from outside, within a number of steps: no loop, recursion or growing text keeps a worker busy. */
import { Reason } from '#src/platform/refusals.ts';
import { Environment, Interpreter, parse, Template, tokenize } from '@huggingface/jinja';
import { Meter, type Runtime, TemplateLimit } from './templateMeter.ts';

export { TemplateLimit } from './templateMeter.ts';

/** Characters of a template, and of white space in a row: those of the field have up to 20,000 and a few dozen. */
const [LONGEST, WIDEST] = [200_000, 2000];
/** Expressions within each other, calls of macros among them. */
const DEEPEST = 400;
/** Numbers that range() makes at most. */
const LONGEST_RANGE = 100_000;

type Node = Parameters<Interpreter['evaluate']>[0];
type Program = ReturnType<typeof parse>;

/** Every part of a template goes through `evaluate`, where it is counted. */
class Counted extends Interpreter {
  #depth = 0;

  constructor(
    environment: Environment,
    readonly meter: Meter,
  ) {
    super(environment);
  }

  override evaluate(node: Node, environment: Environment): ReturnType<Interpreter['evaluate']> {
    if (!node) return super.evaluate(node, environment);
    const { meter } = this;
    if (++this.#depth > DEEPEST) throw new TemplateLimit('it is nested too deeply');
    meter.begin(node);
    let value: Runtime;
    try {
      value = super.evaluate(node, environment);
    } finally {
      this.#depth--;
      meter.end();
    }
    // The library's own code looks out for nothing.
    return meter.made(node, value)!;
  }
}

/** As Python has it. */
function range(charge: (steps: number) => void, ...given: readonly unknown[]): number[] {
  const [from, to, step] = given.length < 2 ? [0, given[0], 1] : [given[0], given[1], given[2] ?? 1];
  if (![from, to, step].every(Number.isSafeInteger) || step === 0)
    throw new Reason('it asks for a range of what are no whole numbers');
  const [first, last, by] = [Number(from), Number(to), Number(step)];
  const length = Math.max(0, Math.ceil((last - first) / by));
  if (length > LONGEST_RANGE) throw new TemplateLimit(`it asks for a range of ${length} numbers`);
  charge(length);
  return Array.from({ length }, (_, i) => first + i * by);
}

export class BoundedTemplate {
  readonly #program: Program;
  readonly #meter = new Meter();

  /**
   * @param source Jinja, as transformers' apply_chat_template reads it
   * @throws Error with the reader's complaint; TemplateLimit where it is too long or nested too deeply
   */
  constructor(source: string) {
    if (source.length > LONGEST)
      throw new TemplateLimit(`it has ${source.length} characters, more than ${LONGEST}`);
    if (new RegExp(`\\s{${WIDEST + 1}}`).test(source))
      throw new TemplateLimit(`it has more than ${WIDEST} spaces in a row`);
    this.#program = withoutOverflow(() =>
      parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })),
    );
  }

  /**
   * @param size characters of what is given, roughly, and how many messages: the more, the more steps are taken as right
   * @throws TemplateLimit where it takes too many steps, or makes too long a text; Error where it refuses what it is given
   */
  render(
    given: Readonly<Record<string, unknown>>,
    size: { readonly length: number; readonly messages: number },
  ): string {
    const meter = this.#meter;
    meter.earn(size);
    const charge = (steps: number): void => meter.charge(steps);
    const environment = new Environment();
    const globals: Readonly<Record<string, unknown>> = {
      ...{ true: true, false: false, none: null, True: true, False: false, None: null },
      raise_exception: (why: unknown) => {
        throw new Reason(String(why));
      },
      range: (...args: readonly unknown[]) => range(charge, ...args),
      strftime_now: (format: unknown) => {
        charge(1000);
        return new Template('{{ strftime_now(format) }}').render({ format: String(format).slice(0, 200) });
      },
    };
    for (const [name, value] of Object.entries({ ...globals, ...given })) environment.set(name, value);
    const { value } = withoutOverflow(() => new Counted(environment, meter).run(this.#program));
    return typeof value === 'string' ? value : '';
  }
}

/** The stack and the longest text that there can be have errors of the language's own. */
function withoutOverflow<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError)
      throw new TemplateLimit('it is nested too deeply, or makes too long a text');
    throw error;
  }
}
