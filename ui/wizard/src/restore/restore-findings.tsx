import type { OperationDetail, StepView } from '../../../../daemon/api/types.ts';
import '../done/done.css';

const words = {
  title: 'What the restored data and the world do not agree on',
  nodesWithoutMachine: 'Nodes without a machine',
  machinesWithoutNode: 'Machines without a Node',
  unknownVolumes: 'Volumes that nothing names',
  unknownLoadBalancers: 'Load balancers that nothing names',
  unreached: 'Kubelets to be restarted when their machines are back',
  nothing: 'Nothing: every machine, volume and load balancer is known.',
  untouched: 'Nothing of it was removed.',
  next: 'Restart operators and controllers of your own: what they watch has gone back.',
} as const;

/** Facts of cluster-reconcile.ts and watches-renew.ts (provisioners/kubernetes/steps). */
type Found = Partial<
  Record<Exclude<keyof typeof words, 'title' | 'nothing' | 'next' | 'untouched'>, readonly string[]>
>;

const factsOf = (steps: readonly StepView[], kind: string): Found | undefined => {
  const step = steps.find((one) => one.kind === kind && (one.state === 'succeeded' || one.state === 'kept'));
  return step?.facts as Found | undefined;
};

/** What a restore has found beside what it restored; nothing for other operations, and before it has looked. */
export function RestoreFindings(props: {
  readonly operation: OperationDetail;
}): React.JSX.Element | undefined {
  const { kind, stepList } = props.operation;
  const compared = kind === 'restore' ? factsOf(stepList, 'cluster.reconcile') : undefined;
  if (compared === undefined) return undefined;
  const found: Found = { ...compared, unreached: factsOf(stepList, 'watches.renew')?.unreached ?? [] };
  const lists = (
    [
      'nodesWithoutMachine',
      'machinesWithoutNode',
      'unknownVolumes',
      'unknownLoadBalancers',
      'unreached',
    ] as const
  ).flatMap((key) => {
    const names = found[key] ?? [];
    return names.length === 0 ? [] : [{ title: words[key], names }];
  });
  return (
    <section className="remuda-panel remuda-proof" aria-labelledby="remuda-findings-title">
      <h2 id="remuda-findings-title">{words.title}</h2>
      {lists.length === 0 ? <p>{words.nothing}</p> : undefined}
      <div className="remuda-proof-lists">
        {lists.map(({ title, names }) => (
          <div key={title}>
            <h3>{title}</h3>
            <ul>
              {names.map((name) => (
                <li key={name}>{name}</li>
              ))}
            </ul>
          </div>
        ))}
      </div>
      {lists.length === 0 ? undefined : <p className="remuda-subtle">{words.untouched}</p>}
      <p className="remuda-subtle">{words.next}</p>
    </section>
  );
}
