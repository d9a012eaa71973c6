import type { ClusterContext, Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { VisitedMachine } from '../../provisioners/contract/found.ts';
import type { FoundCluster } from '../../appliance/agent/protocol/questions.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import { Problem, type ProblemReport } from '../../provisioners/contract/problem.ts';
import type { PlanAnswer } from './answers.ts';
import { requireAgent } from './asking.ts';
import { contextFor, type Subject } from './observation.ts';
import { ownershipProblems } from './ownership-problems.ts';
import { planOn, revisionOf } from './planning.ts';
import type { DesiredCluster, DesiredProvider } from './planners.ts';
import { asRefusal } from './preparation.ts';
import { refuse } from './policies.ts';
import {
  type ImportingParts,
  ImportRecords,
  type ImportRequest,
  type PreparedImport,
} from './import-records.ts';
import type { IntentAnswer } from './day-two.ts';
import { problems } from './problems.ts';
import { Refusal } from './requests.ts';
import { changesBetween, digestOfRequest, needsConfirmation, planHash } from './review.ts';

/** What the API asks of it. */
export type ImportDoors = Pick<Importing, 'plan' | 'start'>;

/** Name of the secret that opens the machines until the cluster's own key is on them. */
const loginOf = (cluster: string): string => `adoption-of-${cluster}`;

const membersOf = ({ etcd }: FoundCluster): readonly VisitedMachine[] =>
  etcd?.topology === 'external' ? etcd.members : [];

/** Every machine of a cluster that was found: of its Nodes, and of an etcd that stands apart. */
const visitedOf = (found: FoundCluster): readonly VisitedMachine[] => [...found.nodes, ...membersOf(found)];

/** What speaks against a machine by its host key, where host keys were given for the machines. */
function againstHostKey({ name, hostKey, reference }: VisitedMachine): ProblemReport[] {
  // An agent that came before this would believe whoever answers.
  if (hostKey === undefined) return reference === undefined ? [] : [ownershipProblems.hostKeyUnseen(name)];
  if (hostKey.given.includes(hostKey.shown)) return [];
  return [ownershipProblems.hostKeyDiffers(name, hostKey)];
}

/** What speaks against a machine that is there: nobody got in, or the provider knows it otherwise. */
function againstMachine(one: VisitedMachine, found: FoundCluster): readonly ProblemReport[] {
  const { name, address, reference, why = 'its machine does not answer' } = one;
  const isMember = membersOf(found).includes(one);
  if (reference === undefined) return [ownershipProblems.notVisited(name, why, isMember)];
  if (found.machines === undefined) return [];
  const machine = found.machines.find((other) => other.address === address);
  const against = (what: string): ProblemReport[] => [ownershipProblems.otherMachine(name, what, isMember)];
  if (machine === undefined) return against(`the provider has none with the address ${address}`);
  if (machine.name !== name) return against(`the provider calls it ${machine.name}`);
  if (machine.cluster.uid !== found.uid)
    return against(`it belongs to cluster ${machine.cluster.name} there`);
  if (isMember && machine.role !== 'etcd')
    return against(`it is a member of an etcd that stands apart, and a ${machine.role} there`);
  return [];
}

/**
 * Takes in clusters that are there and that this Remuda knows nothing of: ejected ones, and those whose appliance lost
 * its state. Looking changes nothing; what is found becomes an operation like every other.
 */
export class Importing {
  readonly #parts: ImportingParts;
  readonly #records: ImportRecords;

  constructor(parts: ImportingParts) {
    this.#parts = parts;
    this.#records = new ImportRecords(parts);
  }

  /** What it would do, and what the file would change afterwards. Starts nothing. */
  async plan(request: ImportRequest): Promise<PlanAnswer> {
    const cluster = this.#clusterIn(request).name;
    return this.#parts.turns.take([cluster], async () => {
      const prepared = await this.#prepare(request);
      const { plan, hash, next } = prepared;
      await this.#records.keepReview(prepared);
      const text = `${this.#parts.planners.describePlan(plan)}\n${next}`;
      const needsName = needsConfirmation(plan, prepared.observed, prepared.subject.desired.destroyLimit);
      return {
        problems: [],
        plans: [{ cluster, plan, hash, text, warnings: [], isUnchanged: false }],
        hash,
        needsConfirmation: needsName ? [cluster] : [],
      };
    });
  }

  /** Begins it. */
  async start(request: ImportRequest): Promise<IntentAnswer> {
    const { name } = this.#clusterIn(request);
    this.#parts.refuseWhenShort();
    return this.#parts.turns.take([name], async () => {
      const { privateKey: _privateKey, ...asked } = request;
      const digest = digestOfRequest(asked);
      const remembered = this.#records.remembered(request, digest);
      if (remembered !== undefined) return remembered;
      const prepared = await this.#prepare(request);
      this.#checkReview(request, prepared);
      return this.#records.begin(request, prepared, digest);
    });
  }

  /** @throws Refusal with every problem of the file, or when it does not hold exactly one cluster */
  #clusterIn({ text, file }: ImportRequest): DesiredCluster {
    const { parsed, problems: found } = this.#parts.preparation.validate(text, file);
    const [first, ...others] = found;
    if (first !== undefined) throw new Refusal('invalid', [first, ...others]);
    const [only, ...more] = parsed.clusters;
    if (only !== undefined && more.length === 0) return only;
    throw new Refusal('invalid', [ownershipProblems.oneCluster(parsed.clusters.length)]);
  }

  #checkReview({ planHash: reviewed, confirm }: ImportRequest, prepared: PreparedImport): void {
    const { plan, hash, observed, subject } = prepared;
    const { name } = subject.cluster;
    if (reviewed !== undefined && reviewed !== hash) {
      const review = this.#parts.recorder.state.plans.getReview(reviewed);
      const changes = review === undefined ? [] : changesBetween(review.plan, plan);
      throw new Refusal('plan-changed', [problems.planChanged(name)], changes);
    }
    if (needsConfirmation(plan, observed, subject.desired.destroyLimit) && confirm !== name)
      throw new Refusal('needs-confirmation', [problems.needsConfirmation(name, plan)]);
  }

  async #prepare(request: ImportRequest): Promise<PreparedImport> {
    const { recorder, preparation, planners, policies } = this.#parts;
    const { state } = recorder;
    const desired = this.#clusterIn(request);
    const { parsed } = preparation.validate(request.text, request.file);
    const { name, document } = desired;
    if (state.clusters.find(name) !== undefined)
      throw new Refusal('conflict', [ownershipProblems.isOurs(name)]);
    refuse(
      policies.judge({ name, document, before: undefined, principal: request.principal }, parsed.policies)
        .denials,
    );
    const kept = state.providers.get(desired.provider);
    const provider =
      parsed.providers.find((one) => one.name === desired.provider) ??
      (kept && planners.readProvider(kept.document));
    if (provider === undefined)
      throw new Refusal('invalid', [problems.unknownProvider(name, desired.provider)]);
    const login = { name: loginOf(name), data: { privateKey: request.privateKey } };
    const secrets = await preparation.sealAll([...parsed.secrets, login]);
    const given = Object.fromEntries(secrets.map((secret) => [secret.name, secret.sealed]));
    try {
      const found = await this.#find(request, { desired, provider, given });
      const uid = this.#judgeFound(request, desired, provider, found);
      const subject = { cluster: { uid, name }, provider, desired, keys: found.access, given };
      const observed = await this.#observe(subject, found);
      return { ...this.#planned(request, subject, found, observed), parsed, secrets };
    } catch (error) {
      throw asRefusal(error);
    }
  }

  #find(
    { master, hostKey, knownHosts }: ImportRequest,
    subject: {
      readonly desired: DesiredCluster;
      readonly provider: DesiredProvider;
      readonly given: Readonly<Record<string, Sealed>>;
    },
  ): Promise<FoundCluster> {
    const { recorder, links, preparation } = this.#parts;
    const { desired, provider, given } = subject;
    const { site } = provider;
    const link = links(site);
    requireAgent(recorder.state, link, site);
    if (link.reach === undefined) throw new Refusal('unavailable', [problems.cannotAsk(site, true)]);
    const unknown = { cluster: { uid: 'unknown', name: desired.name }, desired, provider, keys: '', given };
    const { keys: _keys, ...context }: ClusterContext = contextFor(recorder.state, unknown);
    return link.reach('cluster.inspect', {
      context,
      master,
      ...(hostKey === undefined ? {} : { hostKey }),
      ...(knownHosts === undefined ? {} : { knownHosts }),
      login: given[loginOf(desired.name)] ?? '',
      apiPort: desired.apiPort,
      recipients: preparation.recipients(site),
    });
  }

  /** Answers whose it is. @throws Refusal with everything that speaks against taking it in, all at once */
  #judgeFound(
    { takesOver, knownHosts }: ImportRequest,
    desired: DesiredCluster,
    provider: DesiredProvider,
    found: FoundCluster,
  ): string {
    const { name } = desired;
    const { uid = '' } = found;
    const living = this.#parts.recorder.state.clusters.get(uid);
    if (living !== undefined && living.deletedAt === undefined)
      throw new Refusal('conflict', [ownershipProblems.isOurs(living.name)]);
    const comparison = this.#parts.planners.compareFound(desired, provider, found);
    const { differences, lacksNetwork, isEtcdUnseen } = comparison;
    const against: ProblemReport[] = [
      ...(isEtcdUnseen ? [ownershipProblems.etcdUnseen(name)] : []),
      ...(uid === '' ? [ownershipProblems.noUid(name)] : []),
      ...(found.isKept && !takesOver ? [ownershipProblems.isKept(name, uid)] : []),
      ...differences.map(({ field, found: is, asked }) => ownershipProblems.differs(name, field, is, asked)),
      ...(lacksNetwork === undefined
        ? []
        : [ownershipProblems.unknownNetwork(name, lacksNetwork, found.daemonSets)]),
      ...visitedOf(found).flatMap((one) => {
        const byKey = knownHosts === undefined ? [] : againstHostKey(one);
        return byKey.length > 0 ? byKey : againstMachine(one, found);
      }),
    ];
    const [first, ...others] = against;
    if (first !== undefined) throw new Refusal('invalid', [first, ...others]);
    return uid;
  }

  async #observe(subject: Subject, found: FoundCluster): Promise<Observed> {
    const { recorder, links } = this.#parts;
    const { endpoint, nodeNetwork, apiPort } = subject.desired;
    const references = Object.fromEntries(
      visitedOf(found).flatMap(({ name, reference }) => (reference === undefined ? [] : [[name, reference]])),
    );
    const seen = await links(subject.provider.site).ask('observe', {
      context: { ...contextFor(recorder.state, subject), keys: found.access },
      references,
      apiPort,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
    });
    const incarnations = Object.fromEntries(
      (seen.machines ?? []).map(({ name, incarnation }) => [name, incarnation]),
    );
    return { ...seen, references, incarnations, addresses: {}, retired: {} };
  }

  #planned(
    request: ImportRequest,
    subject: Subject,
    found: FoundCluster,
    observed: Observed,
  ): Omit<PreparedImport, 'parsed' | 'secrets'> {
    const { planners } = this.#parts;
    const { desired, provider, cluster } = subject;
    const { digests, etcdNote, adopted } = planners.marksOfFound(desired, provider, observed, found.etcd);
    const keys = this.#records.drawnBefore(cluster, found) ?? found.keys;
    const intent = {
      kind: 'adopt',
      login: loginOf(cluster.name),
      digests: { ...digests },
      ...(etcdNote === undefined ? {} : { etcdNote }),
      takesOver: request.takesOver,
      ...(request.knownHosts === undefined ? {} : { hasKnownHosts: true as const }),
    } as const;
    const parts = { ...this.#parts, state: this.#parts.recorder.state };
    const asked = { subject, observed, keys: keys.public, bypass: [] };
    const plan = planOn(parts, { ...asked, intent });
    return {
      subject: { ...subject, keys: keys.sealed },
      keys,
      observed,
      plan,
      hash: planHash(plan),
      next: this.#next({ ...asked, observed: adopted }),
    };
  }

  /** What the file would change once the cluster is adopted: that is what is different from what is found. */
  #next(asked: Pick<Parameters<typeof planOn>[1], 'subject' | 'observed' | 'keys' | 'bypass'>): string {
    const { planners, recorder } = this.#parts;
    try {
      const plan = planOn({ ...this.#parts, state: recorder.state }, asked);
      if (plan.steps.length === 0)
        return `Afterwards "remuda apply" of this file (${revisionOf(asked.subject).slice(0, 14)}…) changes nothing.\n`;
      return `NOT PART OF THE ADOPTION: what "remuda apply" of this file would change afterwards:\n${planners.describePlan(plan)}`;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return `Afterwards this file cannot be applied as it is: ${error.report.summary}\n`;
    }
  }
}
