import type { PreflightStep } from '../../appliance/agent/protocol/questions.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import type { AgentLink } from './link.ts';
import { contextFor } from './observation.ts';
import { asRefusal, type Preparation, type PreparedCluster } from './preparation.ts';
import type { Recorder } from './recorder.ts';
import type { FileRequest } from './requests.ts';
import type { CheckedStep, ClusterPreflight, PreflightAnswer } from './answers.ts';

/** What checking a file needs. */
export interface PreflightParts {
  readonly recorder: Recorder;
  readonly preparation: Preparation;
  readonly links: (site: string) => AgentLink;
}

/** `preflight`: plans a file and runs only what can be checked now. Writes nothing and makes nothing. */
export class Preflight {
  readonly #parts: PreflightParts;

  constructor(parts: PreflightParts) {
    this.#parts = parts;
  }

  /** @throws Refusal when the agent cannot look just now; problems of the file are part of the answer */
  async check(request: FileRequest): Promise<PreflightAnswer> {
    const { preparation } = this.#parts;
    const { problems: found } = preparation.validate(request.text, request.file);
    if (found.length > 0) return { problems: found, clusters: [], isPassed: false };
    const prepared = await preparation.prepare(request, false);
    const clusters: ClusterPreflight[] = [];
    for (const cluster of prepared.clusters) clusters.push(await this.#checkOne(cluster));
    return { problems: [], clusters, isPassed: clusters.every(({ checks }) => checks.every(hasPassed)) };
  }

  async #checkOne({ subject, plan }: PreparedCluster): Promise<ClusterPreflight> {
    const all = plan.steps.filter(({ phase }) => phase === 'preflight');
    const now = all.filter(({ input }) => !needsFacts(input));
    const link = this.#parts.links(subject.provider.site);
    try {
      const context = contextFor(
        this.#parts.recorder.state,
        subject,
        now.map(({ input }) => input),
      );
      const steps = now.map(({ id, kind, version, input }): PreflightStep => ({ id, kind, version, input }));
      const results = steps.length === 0 ? [] : await link.preflight({ context, steps });
      const checks = now.map((step): CheckedStep => {
        const result = results.find((one) => one.step === step.id);
        if (result === undefined) throw new Error(`the agent answered nothing about ${step.id}`);
        return { ...result, title: step.title };
      });
      return {
        cluster: subject.cluster.name,
        checks,
        later: titlesOf(all.filter((step) => !now.includes(step))),
      };
    } catch (error) {
      throw asRefusal(error);
    }
  }
}

const titlesOf = (steps: readonly PlannedStep[]): string[] => steps.map(({ title }) => title);

const hasPassed = ({ findings, problem }: CheckedStep): boolean =>
  problem === undefined && findings.every(({ outcome }) => outcome !== 'failed');

/** Whether an input names what only an earlier step can tell, for example the address of a machine not yet made. */
function needsFacts(input: Json): boolean {
  if (input === null || typeof input !== 'object') return false;
  return '$fact' in input || Object.values(input).some((part) => needsFacts(part as Json));
}
