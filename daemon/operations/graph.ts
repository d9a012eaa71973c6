import type { PlannedStep } from '../../provisioners/contract/plan.ts';

type NodeState = 'planned' | 'running' | 'done' | 'stopped';

interface GraphNode {
  readonly step: PlannedStep;
  readonly next: string[];
  /** Predecessors that have not ended well yet. */
  awaited: number;
  state: NodeState;
}

/**
 * The plan's graph as it is being run: says which steps may start. A step may start when all its predecessors ended
 * well; the cost of an end is in proportion to its successors, not to the plan.
 */
export class StepGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #ready = new Map<string, PlannedStep>();
  #open: number;

  /**
   * `done`: steps that need not run; `started`: those that are under way already, whatever stands before them.
   * @throws Error when an edge leads nowhere, an id is used twice or the edges make a circle: the planner's bug.
   */
  constructor(
    steps: readonly PlannedStep[],
    done: ReadonlySet<string> = new Set(),
    started: ReadonlySet<string> = new Set(),
  ) {
    for (const step of steps) {
      if (this.#nodes.has(step.id)) throw new Error(`the plan names the step ${step.id} twice`);
      this.#nodes.set(step.id, { step, next: [], awaited: step.after.length, state: 'planned' });
    }
    for (const step of steps)
      for (const before of step.after) {
        const node = this.#nodes.get(before);
        if (node === undefined)
          throw new Error(`the step ${step.id} comes after ${before}, which is not in the plan`);
        node.next.push(step.id);
      }
    this.#refuseCircles();
    this.#open = steps.length;
    for (const [id, node] of this.#nodes) if (node.awaited === 0) this.#ready.set(id, node.step);
    // In plan order: a kept step's successors come after it or wait for others as well.
    for (const step of steps) if (done.has(step.id)) this.#finish(this.#node(step.id));
    for (const id of started) {
      this.#node(id).state = 'running';
      this.#ready.delete(id);
    }
  }

  /** Steps that may start now, those that could first, at most `limit`; without those that something else holds. */
  ready(
    limit: number = Number.POSITIVE_INFINITY,
    isHeld: (step: PlannedStep) => boolean = () => false,
  ): readonly PlannedStep[] {
    const steps: PlannedStep[] = [];
    for (const step of this.#ready.values()) {
      if (steps.length >= limit) break;
      if (!isHeld(step)) steps.push(step);
    }
    return steps;
  }

  /** @throws Error when the step may not start: a bug of the runner, stopped before it does harm. */
  start(id: string): void {
    if (!this.#ready.delete(id)) throw new Error(`the step ${id} may not start now`);
    this.#node(id).state = 'running';
  }

  /** The running step ended; `isGood` lets its successors go on. */
  end(id: string, isGood: boolean): void {
    const node = this.#node(id);
    if (node.state !== 'running') throw new Error(`the step ${id} ends without having been started`);
    if (isGood) this.#finish(node);
    else {
      node.state = 'stopped';
      this.#open -= 1;
    }
  }

  step(id: string): PlannedStep | undefined {
    return this.#nodes.get(id)?.step;
  }

  /** Whether every step has ended well. */
  get isComplete(): boolean {
    return this.#open === 0 && [...this.#nodes.values()].every((node) => node.state === 'done');
  }

  #finish(node: GraphNode): void {
    this.#ready.delete(node.step.id);
    node.state = 'done';
    this.#open -= 1;
    for (const id of node.next) {
      const successor = this.#node(id);
      successor.awaited -= 1;
      if (successor.awaited === 0 && successor.state === 'planned') this.#ready.set(id, successor.step);
    }
  }

  #node(id: string): GraphNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`the plan has no step ${id}`);
    return node;
  }

  #refuseCircles(): void {
    const awaited = new Map([...this.#nodes].map(([id, node]) => [id, node.awaited]));
    const free = [...awaited].filter(([, count]) => count === 0).map(([id]) => id);
    for (let id = free.pop(); id !== undefined; id = free.pop()) {
      awaited.delete(id);
      for (const next of this.#node(id).next) {
        const count = (awaited.get(next) ?? 0) - 1;
        awaited.set(next, count);
        if (count === 0) free.push(next);
      }
    }
    if (awaited.size > 0)
      throw new Error(`the plan's steps wait for each other: ${[...awaited.keys()].join(', ')}`);
  }
}

/** Refuses steps that could not be run; throws as the constructor of {@link StepGraph} does. */
export const checkGraph = (steps: readonly PlannedStep[]): StepGraph => new StepGraph(steps);
