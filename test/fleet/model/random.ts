/** A seeded source of numbers in [0, 1): mulberry32 (public domain, Tommy Ettinger). Runs with one seed repeat exactly. */
export type Random = () => number;

/** Makes a {@link Random} from a 32-bit seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The seed of this run: `REMUDA_SEED`, else drawn; tests print it so that a red run can be repeated. */
export function runSeed(): number {
  const given = process.env['REMUDA_SEED'];
  return given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
}

/** Picks `count` items without repetition, in their old order. */
export function sample<T>(items: readonly T[], count: number, random: Random): T[] {
  if (items.length <= count) return [...items];
  const keyed = items.map((item, index) => ({ item, index, key: random() }));
  keyed.sort((a, b) => a.key - b.key);
  return keyed
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ item }) => item);
}
