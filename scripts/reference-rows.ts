/** A row that tests cite by its id. */
export interface Row {
  /** As tests write it: `complaint 3`, `H5`. */
  readonly id: string;
  readonly theme: string;
  readonly answer: string;
  /** The milestone that completes it. */
  readonly milestone: string;
}

const complaint = (number: number, milestone: string, theme: string, answer: string): Row => ({
  id: `complaint ${number}`,
  theme,
  answer,
  milestone,
});

/** What users of other tools complain of in public, and what we owe them for it. */
export const complaints: readonly Row[] = [
  complaint(
    1,
    'A',
    'Stuck, no reason',
    'every wait shows what is awaited, what was seen last, since when, what is usual, what to do',
  ),
  complaint(
    2,
    'A',
    'Dead after a soft failure',
    'a soft limit warns and keeps looking; a manual fix lets the run finish',
  ),
  complaint(3, 'A', 'A re-run breaks after an interrupt', 'kill at any point, resume without cleaning up'),
  complaint(4, 'A', 'No plan before the first crash', 'operation and plan in one transaction'),
  complaint(
    5,
    'A',
    'Half-joined master',
    'noticed, said, evicted or cured by the same flow; masters one at a time',
  ),
  complaint(
    6,
    'A, C',
    'Quorum lost on removal',
    'removal only if the rest keeps quorum and holds no learner; leader moved first',
  ),
  complaint(7, 'A, C', 'The first master is special', 'no host is special'),
  complaint(
    8,
    'C',
    'An upgrade breaks etcd',
    'snapshot before, next machine gated on the health of etcd, restore tested',
  ),
  complaint(
    9,
    'C',
    'An interrupted upgrade leaves cordons',
    'we know whose cordon it is; resume continues, failure releases ours',
  ),
  complaint(10, 'C', 'A drain blocked for ever', 'the pod and the budget named; wait, skip, force'),
  complaint(11, 'C', 'Downtime on small clusters', 'gate on Ready and on the named workloads'),
  complaint(12, 'C', 'Rollback in the wrong order', 'the way back is a plan, shown first'),
  complaint(
    13,
    'A (shown), C',
    'Certificates expire after a year',
    'daily check, 90/30/7 days, one command; works when already expired',
  ),
  complaint(
    14,
    'A',
    'Air gap still pulls',
    'bundle with digests, every image verified on every machine first, no route out in tests',
  ),
  complaint(
    15,
    'A',
    'Preflight gaps',
    'clock offset between machines, disk p99, VIP free, CIDR overlap, MTU',
  ),
  complaint(16, 'A (lab), D', 'Cloud leftovers', 'ledger by tag, Services and claims first, the three lists'),
  complaint(
    17,
    'A (no vSphere), D',
    'vSphere leftovers',
    'missing counts as deleted; verified after delete; folders, tags, disks too',
  ),
  complaint(18, 'A, C', 'Adding one machine costs a full run', 'cost in proportion to the change'),
  complaint(19, 'A', 'Useless hint in an error', 'code, field, remedy command'),
];

const required = (id: string, theme: string): Row => ({ id, theme, answer: '', milestone: 'A' });

/** What milestone A must do. */
export const requirements: readonly Row[] = [
  required('H4', 'any number of masters and workers; versions n, n-1, n-2'),
  required('H5', 'inputs and free resources checked before anything is made'),
  required('H6', 'standard hardened flags on every component'),
  required('H10', 'an API server that is highly available by itself; added masters join the pool'),
  required('H16', 'the command line'),
  required('C1', 'provision and tear down without knowing Kubernetes; teardown finds everything'),
  required('C2', 'an established engine makes clusters (kubeadm), its state persisted'),
  required('C4', 'long work is asynchronous: request, then follow the operation'),
  required('C5', 'a token and an authorisation on every resource'),
  required('C10', 'one initiator tracks create, update and teardown of every part'),
  required('K7', 'isolated control planes, automation by events'),
  required('K11', "errors speak of the user's inputs, with suggestions"),
  required('V1', 'a textual source of truth; validated; planned work printed for people'),
  required('V8', 'installs driven by a state machine'),
  required('V12', 'state transitions and host status through an API; detailed logs'),
  required('E2', 'headless install from an answer file'),
  required('E5', 'state that outlives the box (its beginning: one folder, carried elsewhere)'),
];
