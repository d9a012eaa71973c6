import type { Membership, RunMachine, Standing } from './machines.ts';

/** Where the cluster's API is reached. */
export interface Endpoint {
  readonly address: string;
  readonly standing: Standing;
  readonly detail: string;
}

/** What the picture and its table are drawn with. */
export interface TopologyProps {
  readonly machines: readonly RunMachine[];
  readonly endpoint: Endpoint | undefined;
  /** When etcd and Nodes were last looked at, RFC 3339. */
  readonly seenAt: string | undefined;
  /** The machine whose lines the log shows; '' = all. */
  readonly selected: string;
  readonly onSelect: (machine: string) => void;
}

/** Words for what etcd says of a member. */
export const membershipWords: Readonly<Record<Membership, string>> = {
  leader: 'etcd leader',
  voter: 'etcd voter',
  learner: 'etcd learner, no vote',
  unstarted: 'etcd member, not started',
  unhealthy: 'etcd member, unhealthy',
};
