import { z } from 'zod';
import { Blocked, UserProblem } from '../../contract/problem.ts';
import { defineStep } from '../../contract/step.ts';
import { untilMended } from '../limits.ts';
import { payloadChecks } from './catalogue.ts';
import { findingOf } from './check.ts';
import { type FindingsFacts, judge } from './findings.ts';

const inputSchema = z.strictObject({
  kubernetesVersion: z.string(),
  /** References of every image that add-ons and proofs will start. */
  wantedImages: z.array(z.string()),
});

/** The supplies, before any machine is made: version and every image on board (complaint 14). */
export const payloadPreflight = defineStep<z.infer<typeof inputSchema>, FindingsFacts>({
  kind: 'payload.preflight',
  version: 1,
  nature: 'ensure',
  phase: 'preflight',
  destructive: false,
  title: ({ kubernetesVersion }) => `Check that Kubernetes ${kubernetesVersion} and every image are on board`,
  schema: inputSchema,
  limits: untilMended,
  async observe(context, { kubernetesVersion, wantedImages }) {
    const found = await context.payload.summary(kubernetesVersion).then(
      (payload) => ({ payload }),
      (thrown: unknown) => {
        if (thrown instanceof Blocked) return {};
        if (thrown instanceof UserProblem) return { damage: thrown.report.summary };
        throw thrown;
      },
    );
    const supplies = { kubernetesVersion, wantedImages, ...found };
    return judge(
      payloadChecks.map((check) => findingOf(check, 'cluster', check.evaluate(supplies))),
      [],
    );
  },
  apply: () => Promise.reject(new Error('payload.preflight has nothing to apply')),
});
