import type { SyntaxProblem } from './values.ts';

/** Units of sizes, as Kubernetes writes them (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). */
const bytesOf: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
};

const sizePattern = /^([1-9]\d{0,8})(Ki|Mi|Gi|Ti|k|M|G|T)$/;

/** What a person meant who wrote `16GB`, `16 gib` or `1.5Gi`; undefined when it cannot be guessed. */
function guessSize(value: string): string | undefined {
  const parts = /^\s*(\d{1,9})(?:\.(\d{1,3}))?\s*([kKmMgGtT])?(i)?[bB]?\s*$/.exec(value);
  const letter = parts?.[3];
  if (!parts || letter === undefined) return undefined;
  // Who writes 16GB for a machine means what its maker calls 16 GB: powers of two.
  const unit = `${letter.toUpperCase()}i`;
  const size = Number(`${parts[1]}.${parts[2] ?? '0'}`) * (bytesOf[unit] ?? 0);
  return Number.isSafeInteger(size) && size > 0 ? formatSize(size) : undefined;
}

/** Rule: a whole number and a unit. */
export function sizeProblem(value: string): SyntaxProblem | undefined {
  const parts = sizePattern.exec(value);
  if (parts && Number.isSafeInteger(parseSize(value))) return undefined;
  if (/^\d{1,9}$/.test(value))
    return {
      code: 'SPEC-021',
      summary: `"${value}" has no unit.`,
      remedy: `Write ${value}Gi if gibibytes are meant; Ki, Mi, Ti, k, M, G and T are possible too.`,
    };
  const guess = guessSize(value);
  return {
    code: 'SPEC-021',
    summary: `"${value}" is not a size: it must be a whole number followed by Ki, Mi, Gi, Ti (or k, M, G, T).`,
    remedy: guess === undefined ? 'Write a size such as 16Gi.' : `Write ${guess}.`,
  };
}

/** Bytes of a size that keeps {@link sizeProblem}'s rule; 0 for any other text. */
export function parseSize(value: string): number {
  const parts = sizePattern.exec(value);
  return parts ? Number(parts[1]) * (bytesOf[parts[2] ?? ''] ?? 0) : 0;
}

/** The shortest text that {@link parseSize} reads as the same bytes; plain bytes when there is none. */
export function formatSize(bytes: number): string {
  const [shortest] = Object.entries(bytesOf)
    .filter(([, unit]) => bytes % unit === 0)
    .map(([name, unit]) => ({ name, count: bytes / unit }))
    .sort((left, right) => left.count - right.count);
  return shortest === undefined ? String(bytes) : `${shortest.count}${shortest.name}`;
}

/** Rule: 0% to 100%. */
export function percentageProblem(value: string): SyntaxProblem | undefined {
  if (/^(100|[1-9]?\d)%$/.test(value)) return undefined;
  return {
    code: 'SPEC-026',
    summary: `"${value}" is not a percentage from 0% to 100%.`,
    remedy: /^(100|[1-9]?\d)$/.test(value)
      ? `Write ${value}%.`
      : 'Write a whole number and a percent sign, such as 80%.',
  };
}

/** Units of durations, in milliseconds; as Kubernetes writes them, one of them. */
const millisecondsOf: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

const durationPattern = /^([1-9]\d{0,4})([smh])$/;

/** The longest a machine may be waited for: a day. */
const longestDuration = 24 * 3_600_000;

/** Milliseconds of a duration that keeps {@link durationProblem}'s rule; 0 for any other text. */
export function parseDuration(value: string): number {
  const parts = durationPattern.exec(value);
  return parts ? Number(parts[1]) * (millisecondsOf[parts[2] ?? ''] ?? 0) : 0;
}

/** Rule: a whole number of seconds, minutes or hours, up to a day. */
export function durationProblem(value: string): SyntaxProblem | undefined {
  const length = parseDuration(value);
  if (length > 0 && length <= longestDuration) return undefined;
  const number = /^\s*([1-9]\d{0,4})\s*$/.exec(value)?.[1];
  if (length > 0)
    return {
      code: 'SPEC-036',
      summary: `"${value}" is longer than a day.`,
      remedy: 'Write at most 24h.',
    };
  return {
    code: 'SPEC-036',
    summary: `"${value}" is not a duration: it must be a whole number followed by s, m or h.`,
    remedy:
      number === undefined ? 'Write a duration such as 30s, 15m or 2h.' : `Write ${number}s or ${number}m.`,
  };
}

/** Rule: minor and patch, `1.37.1`. */
export function versionProblem(value: string): SyntaxProblem | undefined {
  if (/^v?\d{1,2}\.\d{1,3}\.\d{1,3}$/.test(value)) return undefined;
  const withoutPatch = /^v?(\d{1,2}\.\d{1,3})$/.exec(value);
  return {
    code: 'SPEC-022',
    summary: withoutPatch
      ? `"${value}" names no patch release.`
      : `"${value}" is not a released Kubernetes version.`,
    remedy: withoutPatch
      ? `Write all three numbers in quotes, such as "${withoutPatch[1]}.0".`
      : 'Write all three numbers in quotes, such as "1.37.1".',
  };
}

/** Rule: a time of day. */
export function dayTimeProblem(value: string): SyntaxProblem | undefined {
  if (/^([01]\d|2[0-3]):[0-5]\d$/.test(value)) return undefined;
  return {
    code: 'SPEC-027',
    summary: `"${value}" is not a time of day.`,
    remedy: 'Write hours and minutes by the 24-hour clock, such as "22:00".',
  };
}
