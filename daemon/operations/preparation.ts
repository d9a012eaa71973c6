import type { Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import { Problem, type ProblemReport } from '../../provisioners/contract/problem.ts';
import { requireBypassable } from '../planning/bypass.ts';
import type { ClusterRecord, DrawnKeys } from '../state/clusters.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { RevisionRecord } from '../state/revisions.ts';
import type { State } from '../state/state.ts';
import { requireAgent } from './asking.ts';
import { checkGraph } from './graph.ts';
import type { AgentLink } from './link.ts';
import { atAuthority, digestOfAuthority } from './authority.ts';
import { authorityContext, observeThrough, type Subject } from './observation.ts';
import type { DesiredCluster, DesiredProvider, KnownDocuments, ParsedFile, Planners } from './planners.ts';
import { type Policies, refuse } from './policies.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { planOn, revisionOf } from './planning.ts';
import { type FileRequest, Refusal } from './requests.ts';
import { planHash } from './review.ts';

/** A cluster of a file, looked at and planned, with nothing written yet. */
export interface PreparedCluster {
  readonly subject: Subject;
  readonly keys: DrawnKeys;
  /** Its record; absent for a new one. */
  readonly record: ClusterRecord | undefined;
  readonly newest: RevisionRecord | undefined;
  readonly digest: string;
  readonly observed: Observed;
  readonly plan: Plan;
  readonly hash: string;
  /** What policies have against it without refusing it. */
  readonly warnings: readonly ProblemReport[];
}

/** A cluster of a file whose very revision is being worked towards already. */
export interface UnderWay {
  readonly record: ClusterRecord;
  readonly holder: OperationRecord;
}

/** A whole file, ready to be committed. */
export interface PreparedFile {
  readonly parsed: ParsedFile;
  readonly secrets: readonly {
    readonly name: string;
    readonly keys: readonly string[];
    readonly sealed: Sealed;
  }[];
  readonly clusters: readonly PreparedCluster[];
  readonly underWay: readonly UnderWay[];
}

/** What preparing needs. */
export interface PreparationParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly ids: () => string;
  readonly seal: (plaintext: string, recipients: readonly string[]) => Promise<Sealed>;
  readonly recoveryRecipient?: string;
  readonly policies: Policies;
}

/** Reads a file, looks at its clusters and plans them. Writes nothing. */
export class Preparation {
  readonly #parts: PreparationParts;

  constructor(parts: PreparationParts) {
    this.#parts = parts;
  }

  /**
   * Every problem of a file, also those that only the store can tell: unknown providers, fields that may not change.
   */
  validate(
    text: string,
    file: string,
  ): { readonly parsed: ParsedFile; readonly problems: readonly ProblemReport[] } {
    const parsed = this.#parts.planners.parse(text, file, knownDocuments(this.#parts.recorder.state));
    if (parsed.problems.length > 0) return { parsed, problems: parsed.problems };
    const { clusters, providers, secrets, policies = [] } = parsed;
    if (clusters.length + providers.length + secrets.length + policies.length === 0)
      return { parsed, problems: [problems.nothingToApply(file)] };
    const found = clusters.flatMap((desired) => this.#againstStore(desired, parsed));
    return { parsed, problems: found.map((problem) => placed(parsed, problem)) };
  }

  /**
   * `isApply`: what is being worked towards already is found and not planned once more.
   * @throws Refusal with every problem of the file, or when the agent cannot look just now
   */
  async prepare(request: FileRequest, isApply: boolean): Promise<PreparedFile> {
    const { parsed, problems: found } = this.validate(request.text, request.file);
    const [first, ...others] = found;
    if (first !== undefined) throw new Refusal('invalid', [first, ...others]);
    checkBypass(request.bypass);
    const warnings = this.#judge(parsed, request.principal);
    const secrets = await this.sealAll(parsed.secrets);
    const given = Object.fromEntries(secrets.map((secret) => [secret.name, secret.sealed]));
    const clusters: PreparedCluster[] = [];
    const underWay: UnderWay[] = [];
    for (const desired of parsed.clusters) {
      const provider = this.#providerOf(desired, parsed);
      const busy =
        provider && isApply && request.retire === undefined ? this.#underWay(desired, provider) : undefined;
      if (busy) underWay.push(busy);
      else if (provider)
        clusters.push({
          ...(await this.#prepareOne(parsed, desired, provider, given, request)),
          warnings: warnings.get(desired.name) ?? [],
        });
    }
    return { parsed, secrets, clusters, underWay };
  }

  /** Seals secrets to every enrolled agent and the recovery key. The plain values are not kept. */
  async sealAll(
    secrets: readonly { readonly name: string; readonly data: Readonly<Record<string, string>> }[],
  ): Promise<PreparedFile['secrets']> {
    if (secrets.length === 0) return [];
    const recipients = this.recipients();
    return Promise.all(
      secrets.map(async ({ name, data }) => ({
        name,
        keys: Object.keys(data).sort(),
        sealed: await this.#parts.seal(JSON.stringify(data), recipients),
      })),
    );
  }

  /** @throws Refusal when nobody is enrolled */
  recipients(site?: string): readonly string[] {
    const agents = this.#parts.recorder.state.agents.list();
    const found = agents
      .filter((agent) => site === undefined || agent.site === site)
      .flatMap((agent) => (agent.recipient === undefined ? [] : [agent.recipient]));
    if (found.length === 0) throw new Refusal('unavailable', [problems.noRecipient()]);
    const { recoveryRecipient } = this.#parts;
    return recoveryRecipient === undefined ? found : [...found, recoveryRecipient];
  }

  /**
   * Puts every cluster of the file before the policies: there is no other way to a plan of it. Answers the warnings by
   * the cluster's name.
   * @throws Refusal with every denial, at its line
   */
  #judge(parsed: ParsedFile, principal: string): ReadonlyMap<string, readonly ProblemReport[]> {
    const { recorder, policies } = this.#parts;
    const { clusters, revisions } = recorder.state;
    const judged = parsed.clusters.map(({ name, document }) => {
      const record = clusters.find(name);
      const before = record && revisions.newest(record.uid)?.document;
      return { name, ...policies.judge({ name, document, before, principal }, parsed.policies) };
    });
    refuse(judged.flatMap(({ denials }) => denials.map((denial) => placed(parsed, denial))));
    return new Map(
      judged.map(({ name, warnings }) => [name, warnings.map((warning) => placed(parsed, warning))]),
    );
  }

  #againstStore(desired: DesiredCluster, parsed: ParsedFile): readonly ProblemReport[] {
    const { state } = this.#parts.recorder;
    if (this.#providerOf(desired, parsed) === undefined)
      return [problems.unknownProvider(desired.name, desired.provider)];
    const record = state.clusters.find(desired.name);
    const before = record && state.revisions.newest(record.uid);
    return before
      ? this.#parts.planners.checkChange(this.#parts.planners.readCluster(before.document), desired)
      : [];
  }

  #providerOf(desired: DesiredCluster, parsed: ParsedFile): DesiredProvider | undefined {
    const inFile = parsed.providers.find((provider) => provider.name === desired.provider);
    if (inFile !== undefined) return inFile;
    const kept = this.#parts.recorder.state.providers.get(desired.provider);
    return kept && this.#parts.planners.readProvider(kept.document);
  }

  #underWay(desired: DesiredCluster, provider: DesiredProvider): UnderWay | undefined {
    const { state } = this.#parts.recorder;
    const record = state.clusters.find(desired.name);
    const holder = record && state.operations.holder(record.uid);
    if (holder === undefined || holder.kind === 'delete') return undefined;
    const asked = state.revisions.get(record?.uid ?? '', holder.revision);
    const isNewest = state.revisions.newest(record?.uid ?? '')?.number === holder.revision;
    return record && isNewest && asked?.digest === revisionOf({ desired, provider })
      ? { record, holder }
      : undefined;
  }

  async #prepareOne(
    parsed: ParsedFile,
    desired: DesiredCluster,
    provider: DesiredProvider,
    given: Readonly<Record<string, Sealed>>,
    { bypass = [], retire = {} }: Pick<FileRequest, 'bypass' | 'retire'>,
  ): Promise<Omit<PreparedCluster, 'warnings'>> {
    const { recorder, links } = this.#parts;
    const { state } = recorder;
    const record = state.clusters.find(desired.name);
    const link = links(provider.site);
    requireAgent(state, link, provider.site);
    try {
      const { uid, keys } = record ?? (await this.#draft({ provider, desired, given }, link));
      const subject = { cluster: { uid, name: desired.name }, provider, desired, keys: keys.sealed, given };
      const observed = await observeThrough(link, state, subject);
      const digest = revisionOf(subject);
      const asked = { subject, observed, keys: keys.public, bypass, retire };
      const plan = planOn({ ...this.#parts, state }, asked);
      // A plan that cannot be run must not become an operation.
      checkGraph(plan.steps);
      const newest = record && state.revisions.newest(record.uid);
      return { subject, keys, record, newest, digest, observed, plan, hash: planHash(plan) };
    } catch (error) {
      throw asRefusal(error, (problem) => placed(parsed, atAuthority(problem, desired)));
    }
  }

  /** uid and keys of a cluster that is not made yet: those of its first plan, so that a reviewed plan stays the same. */
  async #draft(
    wanted: Omit<Subject, 'keys' | 'cluster'>,
    link: AgentLink,
  ): Promise<{ uid: string; keys: DrawnKeys }> {
    const { state } = this.#parts.recorder;
    const { name, authority: source } = wanted.desired;
    const { site } = wanted.provider;
    const digest = source === undefined ? undefined : digestOfAuthority(source);
    const draft = state.clusters.findDraft(name);
    if (draft?.site === site && draft.keys.public.authority === digest) return draft;
    const cluster = { uid: this.#parts.ids(), name };
    const recipients = this.recipients(site);
    if (source === undefined || digest === undefined)
      return { uid: cluster.uid, keys: await link.ask('drawKeys', { cluster, recipients }) };
    const context = authorityContext(state, { ...wanted, cluster }, source);
    const drawn = await link.ask('drawKeys', { cluster, recipients, authority: { source, context } });
    return { uid: cluster.uid, keys: { ...drawn, public: { ...drawn.public, authority: digest } } };
  }
}

/** What the store knows that a stream may refer to. */
export const knownDocuments = (state: State): KnownDocuments => ({
  providers: state.providers.list().map((provider) => provider.document),
  secrets: state.secrets.list(),
  clusters: state.revisions.newestDocuments(),
});

/** A problem with the line its field stands on in the file at hand (row K11). */
function placed(parsed: ParsedFile, problem: ProblemReport): ProblemReport {
  const { document, field, line } = problem.place ?? {};
  if (field === undefined || line !== undefined) return problem;
  const [only] = parsed.clusters;
  const where = document ?? `Cluster/${only?.name ?? ''}`;
  return { ...problem, place: { ...problem.place, ...parsed.place(where, field), field } };
}

/** Looks at a kept cluster afresh and keeps what was seen. @throws Refusal when the agent cannot look just now */
export async function lookAndKeep(recorder: Recorder, link: AgentLink, subject: Subject): Promise<Observed> {
  try {
    const observed = await observeThrough(link, recorder.state, subject);
    await recorder.commit(() => recorder.state.clusters.setObserved(subject.cluster.uid, observed));
    return observed;
  } catch (error) {
    throw asRefusal(error);
  }
}

/** @throws Refusal when one of the checks cannot be bypassed */
function checkBypass(ids: readonly string[] = []): void {
  try {
    requireBypassable(ids);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** What kept a request from being planned, as a refusal; what is no problem of the user or the world is our own bug. */
export function asRefusal(
  error: unknown,
  place: (problem: ProblemReport) => ProblemReport = (same) => same,
): unknown {
  if (error instanceof Refusal || !(error instanceof Problem)) return error;
  const { report } = error;
  const isInvalid = report.kind === 'user' || report.code.startsWith('SECRET-');
  return new Refusal(isInvalid ? 'invalid' : 'unavailable', [place(report)]);
}
