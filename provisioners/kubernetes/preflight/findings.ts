import { z } from 'zod';
import type { Finding } from '../../contract/preflight.ts';
import type { Observation } from '../../contract/step.ts';

/** A {@link Finding} as a fact, kept with the operation: a bypass stays on record. */
const findingSchema = z.object({
  check: z.string(),
  severity: z.enum(['strict', 'bypassable']),
  outcome: z.enum(['passed', 'failed', 'bypassed']),
  subject: z.string(),
  saw: z.string(),
  field: z.string().exactOptional(),
  remedy: z.string().exactOptional(),
});

/** What a preflight step leaves: everything that was looked at, passed or bypassed. */
export const findingsFactsSchema = z.object({ findings: z.array(findingSchema) });
export type FindingsFacts = z.infer<typeof findingsFactsSchema>;

/** Failed checks that may be bypassed, and were asked to be, count as bypassed; strict ones never do. */
export function bypassed(findings: readonly Finding[], bypass: readonly string[]): Finding[] {
  return findings.map((finding) =>
    finding.outcome === 'failed' && finding.severity === 'bypassable' && bypass.includes(finding.check)
      ? { ...finding, outcome: 'bypassed' }
      : finding,
  );
}

/**
 * All well: done with the findings as facts. Else blocked, naming every failed check with its remedy at once, and how
 * to go on all the same where that is allowed.
 */
export function judge(found: readonly Finding[], bypass: readonly string[]): Observation<FindingsFacts> {
  const findings = bypassed(found, bypass);
  const failed = findings.filter((finding) => finding.outcome === 'failed');
  if (failed.length === 0) return { state: 'done', facts: findingsFactsSchema.parse({ findings }) };
  const why = failed.map((finding) => `${finding.subject}: ${finding.saw} [${finding.check}]`).join('; ');
  const remedies = [
    ...new Set(failed.map((finding) => finding.remedy ?? `mend what ${finding.check} found`)),
  ];
  const bypassable = [
    ...new Set(failed.filter(({ severity }) => severity === 'bypassable').map(({ check }) => check)),
  ];
  const goOn =
    bypassable.length === 0
      ? ''
      : `; to go on all the same, apply with --bypass ${bypassable.join(' --bypass ')}`;
  const what = `${[...new Set(failed.map(({ check }) => check))].join(', ')} to pass`;
  return { state: 'blocked', what, why, remedy: `${remedies.join('; ')}${goOn}`, findings };
}
