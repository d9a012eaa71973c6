import type { KeyRotation, RotationStage } from '../../../provisioners/contract/secrets.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import { type CertificateInventory, certificateInventory } from '../../planning/certificates.ts';
import { nextStage } from '../../planning/rotation.ts';
import type { ClusterEntry, ClusterRecord } from '../../state/clusters.ts';
import { problems } from '../problems.ts';
import type { Recorder } from '../recorder.ts';
import { Refusal } from '../requests.ts';

/** What lists say of a cluster's certificates. */
export interface CertificateSummary {
  readonly level: CertificateInventory['level'];
  /** When they were read. */
  readonly seenAt: Instant;
  /** The one that `level` is about, or the first to end when all is well. */
  readonly first?: { readonly machine: string; readonly name: string; readonly notAfter: Instant };
  /** How many are at that level. */
  readonly count: number;
}

/** Where the rotation of a cluster's authorities stands. */
export interface RotationView {
  /** Absent where one authority alone is believed. */
  readonly stage?: KeyRotation['stage'];
  readonly since?: Instant;
  /** The operation of the stage has ended well. */
  readonly isFinished: boolean;
  /** The stage to begin, or to go on with. */
  readonly next: RotationStage;
}

/** All certificates of a cluster's masters, and who has none to look after. */
export interface CertificateList extends CertificateInventory {
  /** When they were read; absent when nobody has looked yet. */
  readonly seenAt?: Instant;
  /** Why they are not seen. */
  readonly unseen?: string;
  /** How far the authorities are rotated, and which stage comes next. */
  readonly rotation: RotationView;
  /** Machines that have no certificate but their kubelet's, which it renews by itself; nobody visits them for it. */
  readonly workers: readonly string[];
}

/** The first end among the certificates that are made anew by one and the same. */
export interface CertificateEnd {
  readonly cluster: string;
  readonly keeper: string;
  readonly notAfter: Instant;
}

/** Certificates of clusters, for the API. */
export interface CertificateDoors {
  /** @throws Refusal of reason `not-found` */
  list(cluster: string): CertificateList;
  /** A cluster in lists, with what there is to say of its certificates. */
  shownWith<View extends { readonly uid: string }>(
    view: View,
  ): View & { readonly certificates?: CertificateSummary };
  /** For the metric: at most one end a cluster and keeper. */
  ends(): readonly CertificateEnd[];
}

/** Reads the inventory from what was last seen of clusters. */
export class Certificates implements CertificateDoors {
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** What there is to say of a cluster's certificates now; undefined when they were never seen. */
  inventory(uid: string): (CertificateInventory & { readonly seenAt: Instant }) | undefined {
    const seen = this.#recorder.state.clusters.certificates(uid);
    if (seen === undefined) return undefined;
    return { ...certificateInventory(seen.certificates, this.#recorder.now()), seenAt: seen.at };
  }

  list(cluster: string): CertificateList {
    const record = this.#recorder.state.clusters.find(cluster);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', cluster)]);
    const { observed } = record;
    const workers = (observed?.machines ?? [])
      .filter(({ role }) => role === 'worker')
      .map(({ name }) => name);
    const inventory = this.inventory(record.uid);
    const rotation = this.#rotation(record);
    if (inventory !== undefined) return { ...inventory, rotation, workers };
    const unseen =
      observed === undefined
        ? 'Nobody has looked at the cluster yet.'
        : `No machine with certificates could be visited. ${observed.unseen.join(' ')}`.trim();
    return { certificates: [], level: 'ok', rotation, workers, unseen };
  }

  #rotation({ uid, keys }: ClusterRecord): RotationView {
    const last = this.#recorder.state.operations.newest(uid, ['rotate']);
    const isFinished = last === undefined || last.state === 'succeeded';
    const { rotation } = keys.public;
    // One authority alone is believed: what did not end well was the last stage, which takes the old one out of the keys.
    if (rotation === undefined) return { isFinished, next: isFinished ? 'trust' : 'drop' };
    return { ...rotation, isFinished, next: isFinished ? nextStage(rotation.stage) : rotation.stage };
  }

  shownWith<View extends { readonly uid: string }>(
    view: View,
  ): View & { readonly certificates?: CertificateSummary } {
    const inventory = this.inventory(view.uid);
    if (inventory === undefined) return view;
    const { level, seenAt, certificates } = inventory;
    const spoken = certificates.filter((one) => one.level === level);
    const first = spoken[0];
    return {
      ...view,
      certificates: {
        level,
        seenAt,
        count: spoken.length,
        ...(first === undefined
          ? {}
          : { first: { machine: first.machine, name: first.name, notAfter: first.notAfter } }),
      },
    };
  }

  ends(): readonly CertificateEnd[] {
    return this.#recorder.state.clusters.list().flatMap((cluster) => this.#endsOf(cluster));
  }

  #endsOf({ uid, name: cluster }: ClusterEntry): CertificateEnd[] {
    const firsts = new Map<string, CertificateEnd>();
    for (const { keeper, notAfter } of this.inventory(uid)?.certificates ?? [])
      if (!firsts.has(keeper)) firsts.set(keeper, { cluster, keeper, notAfter });
    return [...firsts.values()];
  }
}
