/** @file Which images an update shows: every image once an epoch, each update from one bucket, all by the seed and the update's number. */
import { random } from '#src/tasks/random.ts';

/**
 * Batch k's bucket is entry k mod N of a permutation (anew for each N batches) of the N images' buckets, so each bucket comes as often as it has
 * images. Within a bucket its batches follow one another through fresh permutations of its images: over N batches every image is shown as
 * often as a batch is large.
 */
export class ImageOrder {
  readonly #seed: number;
  readonly #members: readonly (readonly number[])[];
  readonly #bucketOf: readonly number[];
  #cycle:
    | { readonly index: number; readonly buckets: readonly number[]; readonly ordinals: readonly number[] }
    | undefined;
  readonly #permutations = new Map<number, { readonly epoch: number; readonly order: Uint32Array }>();

  /** @param buckets of the images, in their order; whole numbers from 0 */
  constructor(seed: number, buckets: readonly number[]) {
    if (buckets.length === 0) throw new RangeError('A batch needs at least one image.');
    this.#seed = seed;
    this.#bucketOf = buckets;
    const members = Array.from(
      { length: buckets.reduce((a, b) => Math.max(a, b), 0) + 1 },
      (): number[] => [],
    );
    buckets.forEach((bucket, image) => members[bucket]!.push(image));
    this.#members = members;
  }

  /** The batch's bucket, and how many batches of that bucket came before it. */
  #turn(k: number): { bucket: number; ordinal: number } {
    const total = this.#bucketOf.length;
    const filled = this.#members.filter((m) => m.length > 0).length;
    if (filled === 1) return { bucket: this.#bucketOf[0]!, ordinal: k };
    const index = Math.floor(k / total);
    if (this.#cycle?.index !== index) {
      const order = random(this.#seed, 'bucket', index).permutation(total);
      const counts = this.#members.map(() => 0);
      const buckets = Array.from(order, (image) => this.#bucketOf[image]!);
      this.#cycle = { index, buckets, ordinals: buckets.map((b) => counts[b]!++) };
    }
    const bucket = this.#cycle.buckets[k % total]!;
    return { bucket, ordinal: index * this.#members[bucket]!.length + this.#cycle.ordinals[k % total]! };
  }

  /** The bucket of batch k. */
  bucket(k: number): number {
    return this.#turn(k).bucket;
  }

  /** Indices of the `size` images of batch k. */
  images(k: number, size: number): number[] {
    const { bucket, ordinal } = this.#turn(k);
    return Array.from({ length: size }, (_, i) => this.#at(bucket, ordinal * size + i));
  }

  /** Place `place` of the bucket's endless sequence. */
  #at(bucket: number, place: number): number {
    const members = this.#members[bucket]!;
    const epoch = Math.floor(place / members.length);
    let known = this.#permutations.get(bucket);
    if (known?.epoch !== epoch) {
      const stream = bucket === 0 ? 'order' : `order ${bucket}`;
      known = { epoch, order: random(this.#seed, stream, epoch).permutation(members.length) };
      this.#permutations.set(bucket, known);
    }
    return members[known.order[place % members.length]!]!;
  }
}
