import type { ClusterIdentity, MachineRole } from '../../contract/machine.ts';
import type { PayloadSummary } from '../../contract/ports/payload.ts';
import type { DiskLatency, Finding, HostFacts, Reach, Severity } from '../../contract/preflight.ts';

/** What a machine is asked to be; everything a check may compare the facts with. */
export interface Expectation {
  readonly cluster: ClusterIdentity;
  readonly role: MachineRole;
  /** Minor of the wanted Kubernetes, `1.20`. */
  readonly minor: string;
  readonly name: string;
  readonly address: string;
  /** TCP ports that Kubernetes will listen on here. */
  readonly ports: readonly number[];
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Address of the API endpoint when Remuda itself holds it (keepalived). */
  readonly virtualAddress?: string;
}

/** One machine as a check sees it. */
export interface Subject {
  readonly facts: HostFacts;
  readonly expected: Expectation;
  /** Measured only on machines that will run etcd. */
  readonly disk?: DiskLatency;
}

/** What a check says: nothing wrong, or what was seen and what to do. */
export type Verdict =
  | { readonly passed: true; readonly saw: string }
  | { readonly passed: false; readonly saw: string; readonly remedy: string };

interface CheckDescription {
  /** Stable id: what `--bypass` takes and the manual lists. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** The real failure it prevents, for the manual. */
  readonly prevents: string;
  /** Field of the answer file it is about, when there is one. */
  readonly field?: string;
}

/** A check of one machine. Pure. */
export interface HostCheck extends CheckDescription {
  readonly scope: 'host';
  readonly roles: readonly MachineRole[];
  evaluate(subject: Subject): Verdict;
}

/** All machines together, with what each reached of the others. Pure. */
export interface MeshCheck extends CheckDescription {
  readonly scope: 'mesh';
  evaluate(mesh: Mesh): Verdict;
}

/** All machines of the plan side by side. */
export interface Mesh {
  readonly subjects: readonly Subject[];
  /** From machine name → what it reached. */
  readonly reaches: Readonly<Record<string, readonly Reach[]>>;
}

/** What the payload holds against what the cluster will ask of it. Pure. */
export interface PayloadCheck extends CheckDescription {
  readonly scope: 'payload';
  evaluate(supplies: Supplies): Verdict;
}

/** The payload on board, if there is one, and the images the cluster will start. */
export interface Supplies {
  readonly kubernetesVersion: string;
  readonly payload?: PayloadSummary;
  /** What verification found wrong with the one that is there; then there is no `payload`. */
  readonly damage?: string;
  readonly wantedImages: readonly string[];
}

/** A check of any scope. */
export type Check = HostCheck | MeshCheck | PayloadCheck;

export const passed = (saw: string): Verdict => ({ passed: true, saw });
export const failed = (saw: string, remedy: string): Verdict => ({ passed: false, saw, remedy });

/** All roles that run a kubelet. */
export const everyRole: readonly MachineRole[] = ['control-plane', 'worker', 'etcd'];

/** The verdict as a finding about `subject`. */
export function findingOf(check: Check, subject: string, verdict: Verdict): Finding {
  return {
    check: check.id,
    severity: check.severity,
    subject,
    saw: verdict.saw,
    outcome: verdict.passed ? 'passed' : 'failed',
    ...(check.field === undefined ? {} : { field: check.field }),
    ...(verdict.passed ? {} : { remedy: verdict.remedy }),
  };
}
