/** @file Protobuf's wire format, read strictly: every field inside its message, every length inside the file. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

/** Wire types that ONNX uses; the two of groups are in no ONNX file. */
export const Wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Messages inside messages, as deep as protobuf's own readers go. */
const DEEPEST = 100;
/** A tag is a 32-bit varint, a number a 64-bit one. */
const LONGEST_TAG = 5;
const LONGEST_VARINT = 10;
/** No field has a longer head than its tag and a length. */
export const LONGEST_HEAD = LONGEST_TAG + LONGEST_VARINT;

/** These bytes are no protobuf message. Never shown: the decoder says what it means for the file. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** What stands before a field's value: which it is, and how long the value is (for a varint: itself). */
export interface Head {
  readonly number: number;
  readonly wire: number;
  /** Index of the value's first byte. */
  readonly start: number;
  /** Bytes of the value. */
  readonly length: number;
}

/** Index behind the varint that starts at `at`. */
function varintEnd(bytes: Uint8Array, at: number, end: number, longest: number): number {
  const last = Math.min(end, at + longest);
  for (let i = at; i < last; i++) if (bytes[i]! < 0x80) return i + 1;
  throw new Malformed('overlong or unfinished number');
}

/** Value of a varint as a double: exact below 2⁵³, and no smaller above. */
function varint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let unit = 1;
  for (let i = at; i < end; i++, unit *= 128) value += (bytes[i]! & 0x7f) * unit;
  return value;
}

/**
 * The head of the field at `at`.
 * @param end of the bytes at hand; the value itself may reach beyond
 * @throws Malformed
 */
export function readHead(bytes: Uint8Array, at: number, end: number): Head {
  const tagEnd = varintEnd(bytes, at, end, LONGEST_TAG);
  const tag = varint(bytes, at, tagEnd);
  const [number, wire] = [Math.floor(tag / 8), tag % 8];
  if (number === 0 || tag >= 2 ** 32) throw new Malformed('impossible field');
  switch (wire) {
    case Wire.varint:
      return { number, wire, start: tagEnd, length: varintEnd(bytes, tagEnd, end, LONGEST_VARINT) - tagEnd };
    case Wire.fixed64:
      return { number, wire, start: tagEnd, length: 8 };
    case Wire.fixed32:
      return { number, wire, start: tagEnd, length: 4 };
    case Wire.bytes: {
      const start = varintEnd(bytes, tagEnd, end, LONGEST_VARINT);
      return { number, wire, start, length: varint(bytes, tagEnd, start) };
    }
    default:
      throw new Malformed('unknown wire type');
  }
}

/** A number as a varint. */
export function writeVarint(value: number): number[] {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) | 0x80);
  return [...out, value];
}

interface Rule {
  /** Of a single value. */
  readonly wire: number;
  readonly repeated: boolean;
  readonly message: DescMessage | undefined;
}

const rules = new WeakMap<DescMessage, ReadonlyMap<number, Rule>>();

function wireOf(scalar: ScalarType): number {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return Wire.bytes;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return Wire.fixed64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return Wire.fixed32;
    default:
      return Wire.varint;
  }
}

function ruleOf(field: DescField): Rule {
  const repeated = field.fieldKind === 'list';
  const wire = field.message ? Wire.bytes : field.scalar === undefined ? Wire.varint : wireOf(field.scalar);
  return { wire, repeated, message: field.message };
}

function rulesOf(message: DescMessage): ReadonlyMap<number, Rule> {
  const known = rules.get(message);
  if (known) return known;
  const made = new Map(message.fields.map((f) => [f.number, ruleOf(f)]));
  rules.set(message, made);
  return made;
}

/** Packed numbers must fill their field exactly. */
function checkPacked(bytes: Uint8Array, wire: number, start: number, end: number): void {
  if (wire === Wire.varint) for (let at = start; at < end;) at = varintEnd(bytes, at, end, LONGEST_VARINT);
  else if ((end - start) % (wire === Wire.fixed64 ? 8 : 4) !== 0) throw new Malformed('half a number');
}

/**
 * That a field of a message is written as its schema says; unknown ones are fine. Its value is looked into by `checkMessage`.
 * @returns the schema of its value, if that is a message
 * @throws Malformed
 */
export function checkField(message: DescMessage, { number, wire }: Head): DescMessage | undefined {
  const rule = rulesOf(message).get(number);
  if (rule && wire !== rule.wire && !(rule.repeated && wire === Wire.bytes))
    throw new Malformed('a field of another type');
  return rule?.message;
}

/**
 * That bytes are a message of this kind, all through. The protobuf library would read on behind a message's end, or skip what it does
 * not like, where a length is wrong: a damaged file could pass for another model.
 * @throws Malformed
 */
export function checkMessage(
  bytes: Uint8Array,
  message: DescMessage,
  start = 0,
  end = bytes.length,
  depth = 1,
): void {
  if (depth > DEEPEST) throw new Malformed('nested too deeply');
  for (let at = start; at < end;) {
    const head = readHead(bytes, at, end);
    const inner = checkField(message, head);
    at = head.start + head.length;
    if (at > end) throw new Malformed('a field beyond its message');
    if (inner) checkMessage(bytes, inner, head.start, at, depth + 1);
    else {
      const rule = rulesOf(message).get(head.number);
      if (rule?.repeated && head.wire === Wire.bytes && rule.wire !== Wire.bytes)
        checkPacked(bytes, rule.wire, head.start, at);
    }
  }
}
