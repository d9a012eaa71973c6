import { runSeed, sample, seededRandom } from './model/random.ts';

/** One cluster of etcd, and which of its members are gone. */
export interface MemberSet {
  readonly count: number;
  readonly lost: readonly string[];
}

/** Sizes of etcd that Remuda makes. */
const sizes = [1, 3, 5, 7] as const;

/** `m0`, `m1`, …: names of so many members. */
export const memberNames = (count: number): string[] =>
  Array.from({ length: count }, (_, number) => `m${number}`);

/** Members of which etcd needs so many. */
export const quorumOf = (count: number): number => Math.floor(count / 2) + 1;

/** Every set of members that may be gone, for every size. */
export const everySet: readonly MemberSet[] = sizes.flatMap((count) =>
  Array.from({ length: 2 ** count }, (_, bits) => ({
    count,
    lost: memberNames(count).filter((_name, index) => (bits & (1 << index)) !== 0),
  })),
);

/** The seed of this run's slice. */
const seed = runSeed();

/** Those to try: all in the full ring, else of each size so many that the seed draws. */
export function slice(sets: readonly MemberSet[], perSize: number): readonly MemberSet[] {
  if (process.env['REMUDA_RING'] === 'full') return sets;
  const random = seededRandom(seed);
  const chosen = sizes.flatMap((size) =>
    sample(
      sets.filter(({ count }) => count === size),
      perSize,
      random,
    ),
  );
  console.info(`${chosen.length} of ${sets.length} sets of members (REMUDA_SEED=${seed})`);
  return chosen;
}
