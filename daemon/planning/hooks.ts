import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import {
  factOf,
  type Plan,
  type PlannedStep,
  type Referable,
  stepId,
} from '../../provisioners/contract/plan.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import { clusterVerify } from '../../provisioners/kubernetes/steps/cluster-verify.ts';
import { hostKeyReplace } from '../../provisioners/kubernetes/steps/host-key-replace.ts';
import { nodeDrain } from '../../provisioners/kubernetes/steps/node-drain.ts';
import { nodeLabel } from '../../provisioners/kubernetes/steps/node-label.ts';
import { nodeUncordon } from '../../provisioners/kubernetes/steps/node-uncordon.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { type HookDocument, hooksOf } from '../spec/hooks.ts';
import { apiPortOf } from './api-port.ts';
import { disrupts } from './disruption.ts';
import { hookStep, isFor, isMasterName, type Occurrence } from './hook-steps.ts';
import { directionOf } from './upgrade.ts';

/** What a plan's hooks are made from. */
export interface HookRequest {
  readonly document: ClusterDocument;
  readonly observed: Observed;
  /** What kind of operation the hooks of the plan before this one were told of, where an operation goes on. */
  readonly hooksFor?: string | undefined;
}

/** Kinds that make a machine a Node of the cluster: it has booted, and is as new. */
const joins: ReadonlySet<string> = new Set(['worker.join', 'control-plane.init', 'control-plane.join']);

/** Steps after which nobody is to be asked about a machine. */
const departures: ReadonlySet<string> = new Set(['machine.destroy', 'machine.fence', 'node.remove']);

/**
 * The same plan with the cluster's hooks in their places. Pure, and about any finished plan: wherever pods are moved off
 * a machine and wherever a machine comes to serve, the hooks of these points go along. A plan that does nothing has
 * none; but that of an operation which has done all but what comes last still has that.
 */
export function withHooks(plan: Plan, request: HookRequest): Plan {
  const all = hooksOf(request.document);
  const goesOn = request.hooksFor !== undefined;
  if (all.length === 0 || (plan.steps.length === 0 && !goesOn)) return plan;
  const reason = request.hooksFor ?? reasonOf(plan, request);
  const hooks = all.filter(({ operations }) => operations.some((one) => one === reason));
  const steps = new Placing(plan, request, reason).place(hooks);
  return { ...plan, steps, hooksFor: reason };
}

/** What kind of operation hooks are told of: an update to another version is an upgrade. */
const reasonOf = ({ kind }: Plan, { document, observed }: HookRequest): string =>
  kind === 'update' && directionOf(document, observed) !== 'none' ? 'upgrade' : kind;

const unique = (...lists: readonly (readonly string[])[]): readonly string[] =>
  [...new Set(lists.flat())].toSorted();

type Point = HookDocument['at'];

class Placing {
  readonly #plan: Plan;
  readonly #request: HookRequest;
  readonly #reason: string;
  #steps: PlannedStep[];
  /** Machines that join in this plan. */
  readonly #joining: ReadonlySet<string>;

  constructor(plan: Plan, request: HookRequest, reason: string) {
    this.#plan = plan;
    this.#request = request;
    this.#reason = reason;
    this.#steps = [...plan.steps];
    this.#joining = new Set(plan.steps.filter(({ kind }) => joins.has(kind)).map(({ subject }) => subject));
  }

  place(hooks: readonly HookDocument[]): PlannedStep[] {
    const of = (point: Point): readonly HookDocument[] => hooks.filter(({ at }) => at === point);
    for (const step of this.#plan.steps) {
      if (step.kind === nodeDrain.kind) {
        this.#before(step, this.#aboutMachine(step, 'beforeDrain', of('beforeDrain')));
        this.#behind(step, this.#aboutMachine(step, 'afterDrain', of('afterDrain')));
      }
      if (this.#isArrival(step)) this.#before(step, this.#aboutMachine(step, 'afterBoot', of('afterBoot')));
    }
    this.#beforeAll(of('beforeOperation'));
    if (this.#plan.isPartial !== true) this.#afterAll(of('afterOperation'));
    return this.#steps;
  }

  /** Whether a machine counts from this step on: it has just joined, or takes pods again that were moved off it here. */
  #isArrival({ kind, subject }: PlannedStep): boolean {
    if (kind === nodeLabel.kind) return this.#joining.has(subject);
    const isDrained = this.#plan.steps.some((one) => one.kind === nodeDrain.kind && one.subject === subject);
    return kind === nodeUncordon.kind && isDrained;
  }

  /** The hooks of one machine at one point, one after another. Their access is that of the step they stand beside. */
  #aboutMachine({ subject, input }: PlannedStep, at: Point, hooks: readonly HookDocument[]): Chain {
    const { access } = input as { readonly access?: Referable<ControlPlaneAccess> };
    const reference = this.#referenceTo(subject);
    const occurrence: Occurrence = {
      at,
      reason: this.#reason,
      machine: subject,
      ...(reference === undefined ? {} : { on: { name: subject, reference } }),
      ...(access === undefined ? {} : { access }),
      phase: at === 'afterBoot' ? 'workers' : 'removal',
      isDisturbing: at === 'beforeDrain',
    };
    const selected = hooks.filter((hook) => isFor(this.#request.document, hook, subject));
    return (after) => chained(selected, after, (hook, before) => hookStep(hook, occurrence, before));
  }

  #before(step: PlannedStep, chain: Chain): void {
    const now = this.#steps.find(({ id }) => id === step.id) ?? step;
    const { steps, ends } = chain(now.after);
    if (steps.length === 0) return;
    this.#steps = this.#steps.flatMap((one) =>
      one.id === step.id ? [...steps, { ...one, after: unique(one.after, ends) }] : [one],
    );
  }

  #behind({ id }: PlannedStep, chain: Chain): void {
    const { steps, ends } = chain([id]);
    if (steps.length === 0) return;
    this.#steps = this.#steps.flatMap((one) => {
      if (one.id === id) return [one, ...steps];
      return [one.after.includes(id) ? { ...one, after: unique(one.after, ends) } : one];
    });
  }

  /** Before everything that disturbs; where nothing does, before everything but checks. */
  #beforeAll(hooks: readonly HookDocument[]): void {
    const { kind } = this.#plan;
    const disturbing = this.#steps.filter((step) => disrupts(step));
    const isHeld = kind !== 'create' && kind !== 'delete' && disturbing.length > 0;
    const waiting = isHeld ? disturbing : this.#steps.filter(({ phase }) => phase !== 'preflight');
    const { steps, ends } = this.#once('beforeOperation', hooks, isHeld)([]);
    const ids = new Set(waiting.map(({ id }) => id));
    this.#steps = [
      ...steps,
      ...this.#steps.map((one) => (ids.has(one.id) ? { ...one, after: unique(one.after, ends) } : one)),
    ];
  }

  #afterAll(hooks: readonly HookDocument[]): void {
    const followed = new Set(this.#steps.flatMap(({ after }) => after));
    const leaves = this.#steps.map(({ id }) => id).filter((id) => !followed.has(id));
    this.#steps.push(...this.#once('afterOperation', hooks, false)(leaves).steps);
  }

  /** Hooks at the beginning or the end: each once, but a script on every machine that answers. */
  #once(
    at: 'beforeOperation' | 'afterOperation',
    hooks: readonly HookDocument[],
    isDisturbing: boolean,
  ): Chain {
    const { document } = this.#request;
    const machines = this.#machinesThere(at);
    const access = this.#access(at, machines);
    const phase = at === 'beforeOperation' ? 'preparation' : 'verification';
    const common = { at, reason: this.#reason, phase, isDisturbing, ...(access && { access }) } as const;
    return (after) =>
      chained(hooks, after, (hook, before) => {
        if (hook.run.machine === undefined) return hookStep(hook, common, before);
        return machines
          .filter(({ name }) => isFor(document, hook, name))
          .flatMap((on) => hookStep(hook, { ...common, on }, before));
      });
  }

  /** Machines that answer: at the beginning those that are there, at the end those that stay or have come. */
  #machinesThere(at: Point): { readonly name: string; readonly reference: Referable<MachineRef> }[] {
    const { observed } = this.#request;
    const left = new Set(
      this.#plan.steps.filter(({ kind }) => departures.has(kind)).map(({ subject }) => subject),
    );
    const ready = (observed.nodes ?? []).filter((node) => node.ready).map(({ name }) => name);
    const isBegin = at === 'beforeOperation';
    const names = isBegin
      ? ready.filter((name) => !this.#joining.has(name))
      : [...ready.filter((name) => !left.has(name)), ...this.#joining];
    return unique(names).flatMap((name) => {
      const reference = isBegin ? observed.references[name] : this.#referenceTo(name);
      return reference === undefined ? [] : [{ name, reference }];
    });
  }

  #access(
    at: Point,
    machines: readonly { readonly name: string; readonly reference: Referable<MachineRef> }[],
  ): Referable<ControlPlaneAccess> | undefined {
    const { document } = this.#request;
    const proof = this.#plan.steps.find(({ kind }) => kind === clusterVerify.kind);
    if (at === 'afterOperation' && proof !== undefined)
      return (proof.input as { readonly access?: Referable<ControlPlaneAccess> }).access;
    const masters = machines.filter(({ name }) => isMasterName(document, name)).map((one) => one.reference);
    return masters.length === 0 ? undefined : { masters, apiPort: apiPortOf(document) };
  }

  /** How a machine is reached by then: one that is met in this plan, by the key that it shows from then on. */
  #referenceTo(name: string): Referable<MachineRef> | undefined {
    const isMet = this.#plan.steps.some(({ id }) => id === stepId(hostKeyReplace.kind, name));
    return isMet ? factOf(hostKeyReplace, name, 'reference') : this.#request.observed.references[name];
  }
}

/** Steps that begin after others, and what their end is. */
type Chain = (after: readonly string[]) => {
  readonly steps: readonly PlannedStep[];
  readonly ends: readonly string[];
};

/** One hook after another, in the order of the document. */
function chained(
  hooks: readonly HookDocument[],
  after: readonly string[],
  make: (hook: HookDocument, before: readonly string[]) => readonly PlannedStep[],
): ReturnType<Chain> {
  const steps: PlannedStep[] = [];
  let ends = after;
  for (const hook of hooks) {
    const made = make(hook, ends);
    steps.push(...made);
    if (made.length > 0) ends = made.map(({ id }) => id);
  }
  return { steps, ends };
}
