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
  field: z.string().optional(),
  remedy: z.string().optional(),
});

/** What a preflight step leaves: everything that was looked at, passed or bypassed. */
const findingsFactsSchema = z.object({ findings: z.array(findingSchema) });
export type FindingsFacts = z.infer<typeof findingsFactsSchema>;

/** Failed checks that may be bypassed, and were asked to be, count as bypassed; strict ones never do. */
export function bypassed(findings: readonly Finding[], bypass: readonly string[]): Finding[] {
  return findings.map((finding) =>
    finding.outcome === 'failed' && finding.severity === 'bypassable' && bypass.includes(finding.check)
      ? { ...finding, outcome: 'bypassed' }
      : finding,
  );
}

/** All well: done with the findings as facts. Else blocked, naming every failed check with its remedy at once. */
export function judge(found: readonly Finding[], bypass: readonly string[]): Observation<FindingsFacts> {
  const findings = bypassed(found, bypass);
  const failed = findings.filter((finding) => finding.outcome === 'failed');
  if (failed.length === 0) return { state: 'done', facts: findingsFactsSchema.parse({ findings }) };
  const why = failed.map((finding) => `${finding.check} (${finding.subject}): ${finding.saw}`).join('; ');
  const remedies = [
    ...new Set(failed.map((finding) => finding.remedy ?? `Mend what ${finding.check} found.`)),
  ];
  return { state: 'blocked', why, remedy: remedies.join(' ') };
}
