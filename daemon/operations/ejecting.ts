import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { MachineRef, MachineRole } from '../../provisioners/contract/machine.ts';
import type { ObservedCertificate } from '../../provisioners/contract/observed.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { PlanAnswer } from './answers.ts';
import { requireAgent } from './asking.ts';
import type { DayTwoDoors, IntentAnswer } from './day-two.ts';
import type { AgentLink } from './link.ts';
import { contextFor } from './observation.ts';
import { ownershipProblems } from './ownership-problems.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { asRefusal } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';

/** `eject`, and its plan. */
export interface EjectRequest {
  readonly cluster: string;
  readonly principal: string;
  /** From inside the sealed hand-over: who knows it has opened the keys. */
  readonly receipt?: string;
  readonly planHash?: string;
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** Who gets a cluster's keys. */
export interface HandOverRequest {
  readonly cluster: string;
  readonly principal: string;
  /** age recipient, `age1…` */
  readonly recipient: string;
}

/** All that whoever keeps a cluster from now on needs; the keys sealed, the rest no secret. */
export interface HandOver {
  readonly cluster: string;
  readonly at: Instant;
  readonly recipient: string;
  readonly sealed: Sealed;
  /** When the certificate in the sealed kubeconfig ends. */
  readonly kubeconfigEnds: Instant;
  /** Documents of cluster and provider; they hold no secret. */
  readonly answerFile: string;
  readonly machines: readonly MachineRef[];
  readonly masters: readonly string[];
  /** Machines of etcd, where it stands apart from the masters; absent where each has a member. */
  readonly etcd?: readonly string[];
  /** As last seen. */
  readonly certificates: readonly ObservedCertificate[];
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly kubernetesVersion?: string;
}

/** What ejecting needs. */
export interface EjectingParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly dayTwo: DayTwoDoors;
}

/** What the API asks of it. */
export type EjectDoors = Pick<Ejecting, 'handOver' | 'plan' | 'start'>;

const hashOf = (receipt: string): Buffer => createHash('sha256').update(receipt).digest();

/**
 * Gives clusters away. The keys go first: nobody can begin who has not opened them, because the receipt is sealed with
 * them. Receipts live in memory: after a restart the keys are fetched again.
 */
export class Ejecting {
  readonly #parts: EjectingParts;
  readonly #receipts = new Map<string, Buffer>();

  constructor(parts: EjectingParts) {
    this.#parts = parts;
  }

  /** Has the agent seal the cluster's keys to the recipient; noted in the audit and among the events. */
  async handOver({ cluster, principal, recipient }: HandOverRequest): Promise<HandOver> {
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    const record = state.clusters.find(cluster);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', cluster)]);
    const subject = subjectOf(state, planners, record.uid);
    const { site } = subject.provider;
    const link = links(site);
    requireAgent(state, link, site);
    const { endpoint } = subject.desired;
    if (endpoint === undefined || link.reach === undefined)
      throw new Refusal('unavailable', [problems.cannotAsk(site, true)]);
    const receipt = randomBytes(32).toString('base64url');
    const context = contextFor(state, subject);
    try {
      const sealed = await link.reach('cluster.hand-over', { context, recipient, endpoint, receipt });
      await recorder.commit((note) =>
        note({ type: 'cluster.handed-over', cluster, data: { principal, recipient } }),
      );
      this.#receipts.set(record.uid, hashOf(receipt));
      const { observed } = record;
      const namesOf = (role: MachineRole): string[] =>
        (observed?.machines ?? []).flatMap((one) => (one.role === role ? one.name : []));
      const masters = new Set(namesOf('control-plane'));
      const etcd = namesOf('etcd');
      const machines = state.machines.list(record.uid).flatMap(({ reference }) => reference ?? []);
      return {
        cluster,
        at: new Date(recorder.clock.now()).toISOString(),
        recipient,
        ...sealed,
        answerFile: `${planners.printProvider(subject.provider.document)}---\n${planners.printCluster(subject.desired.document)}`,
        machines,
        masters: machines.map(({ name }) => name).filter((name) => masters.has(name)),
        ...(etcd.length === 0 ? {} : { etcd }),
        certificates: state.clusters.certificates(record.uid)?.certificates ?? [],
        endpoint,
        ...(observed?.apiVersion === undefined ? {} : { kubernetesVersion: observed.apiVersion }),
      };
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** What it would do, from a fresh look. Starts nothing. */
  plan({ cluster, principal }: EjectRequest): Promise<PlanAnswer> {
    return this.#parts.dayTwo.plan({ cluster, principal, intent: { kind: 'eject' } });
  }

  /** Begins it. @throws Refusal when the keys were not fetched and opened before */
  start({ receipt, ...request }: EjectRequest): Promise<IntentAnswer> {
    const { state } = this.#parts.recorder;
    const { idempotencyKey, principal, cluster } = request;
    const isRepeat =
      idempotencyKey !== undefined && state.answers.get(idempotencyKey, principal) !== undefined;
    const uid = state.clusters.find(cluster)?.uid;
    // Whoever goes on with an ejection that stopped had the keys when it began.
    const isGoingOn = uid !== undefined && state.operations.list(uid, 1)[0]?.kind === 'eject';
    if (uid !== undefined && !isRepeat && !isGoingOn && !this.#isOpened(uid, receipt))
      throw new Refusal('invalid', [ownershipProblems.noReceipt(cluster)]);
    return this.#parts.dayTwo.start({ ...request, intent: { kind: 'eject' } });
  }

  #isOpened(uid: string, receipt: string | undefined): boolean {
    const given = this.#receipts.get(uid);
    return given !== undefined && receipt !== undefined && timingSafeEqual(given, hashOf(receipt));
  }
}
