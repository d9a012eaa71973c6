import { Link } from 'wouter';
import type { OperationDetail, StepView } from '../../../../daemon/api/types.ts';
import './done.css';

interface Entry {
  readonly type: string;
  readonly name: string;
}

/** Facts of the step that proves a deletion (provisioners/kubernetes/steps/teardown-prove.ts). */
interface ProofFacts {
  readonly gone: readonly Entry[];
  readonly kept: readonly (Entry & { readonly policy: string })[];
  readonly left: readonly (Entry & { readonly why: string })[];
}

/** One line of a list: what, and in small what there is to say of it. */
interface Line {
  readonly what: string;
  readonly detail?: string;
}

interface Proof {
  readonly gone: readonly Line[];
  readonly kept: readonly Line[];
  readonly left: readonly Line[];
}

const words = {
  title: 'What became of everything',
  gone: 'Gone',
  kept: 'Kept by policy',
  left: 'Left or unknown, and why',
  nothingGone: 'Nothing yet.',
  nothingKept: 'Nothing was to be kept.',
  nothingLeft: 'Nothing: the provider was asked for everything it ever made.',
  infrastructure: 'Infrastructure',
  infrastructureDetail: 'networks, folders and everything else that was made for the cluster',
  notReached: 'not reached',
  notProven: 'Proof that nothing else is left',
  balancers: 'Load balancers of Services, Ingresses and Gateways',
  volumes: 'Volumes of claims',
  more: 'All that deleted clusters have left behind',
  history: 'Operations, logs and the audit trail stay in Remuda.',
} as const;

/** The three lists of a deletion that has ended (DESIGN §6); nothing for other operations, and before that. */
export function DeletionProof({
  operation,
}: {
  readonly operation: OperationDetail;
}): React.JSX.Element | undefined {
  if (operation.kind !== 'delete' || operation.endedAt === undefined) return undefined;
  const { gone, kept, left } = proofOf(operation.stepList);
  return (
    <section className="remuda-panel remuda-proof" aria-labelledby="remuda-proof-title">
      <h2 id="remuda-proof-title">{words.title}</h2>
      <div className="remuda-proof-lists">
        <ProofList title={words.gone} lines={gone} empty={words.nothingGone} />
        <ProofList title={words.kept} lines={kept} empty={words.nothingKept} note={words.history} />
        <ProofList title={words.left} lines={left} empty={words.nothingLeft} />
      </div>
      {kept.length + left.length === 0 ? undefined : (
        <p className="remuda-proof-more">
          <Link href="/leftovers">{words.more}</Link>
        </p>
      )}
    </section>
  );
}

/** As the last step has proven it; before that, as far as each step knows. */
function proofOf(steps: readonly StepView[]): Proof {
  const facts = factsOf(steps);
  const isRemoved = steps.some(({ kind, state }) => kind === 'infrastructure.remove' && isOver(state));
  const infrastructure: readonly Line[] = isRemoved
    ? [{ what: words.infrastructure, detail: words.infrastructureDetail }]
    : [];
  if (facts !== undefined)
    return {
      gone: [...byType(facts.gone), ...infrastructure],
      kept: facts.kept.map(({ type, name, policy }) => ({ what: `${type} ${name}`, detail: policy })),
      left: facts.left.map(({ type, name, why }) => ({ what: `${type} ${name}`, detail: why })),
    };
  const machines = steps.filter(({ kind }) => kind === 'machine.destroy');
  const gone = machines.filter(({ state }) => isOver(state));
  return {
    gone: [...byType(gone.map(({ subject }) => ({ type: 'machine', name: subject }))), ...infrastructure],
    kept: [],
    left: steps.filter(({ kind, state }) => !isOver(state) && !holds.has(kind)).map(leftLine),
  };
}

/** Steps that remove nothing themselves. */
const holds: ReadonlySet<string> = new Set(['new-work.refuse', 'new-work.admit']);

const isOver = (state: StepView['state']): boolean => state === 'succeeded' || state === 'kept';

function leftLine({ kind, subject, problem }: StepView): Line {
  const what: Readonly<Record<string, string>> = {
    'machine.destroy': `machine ${subject}`,
    'services.release': words.balancers,
    'claims.release': words.volumes,
    'infrastructure.remove': words.infrastructure,
    'teardown.prove': words.notProven,
  };
  return { what: what[kind] ?? `${kind} ${subject}`, detail: problem?.summary ?? words.notReached };
}

function factsOf(steps: readonly StepView[]): ProofFacts | undefined {
  const step = steps.find(({ kind, state }) => kind === 'teardown.prove' && isOver(state));
  const facts = step?.facts as Partial<ProofFacts> | undefined;
  return Array.isArray(facts?.gone) && Array.isArray(facts.kept) && Array.isArray(facts.left)
    ? (facts as ProofFacts)
    : undefined;
}

/** `5 machines`, with their names below. */
function byType(entries: readonly Entry[]): readonly Line[] {
  const names = new Intl.Collator('en', { numeric: true });
  return [...Map.groupBy(entries, ({ type }) => type)].map(([type, of]) => ({
    what: `${of.length} ${type}${of.length === 1 ? '' : 's'}`,
    detail: of
      .map(({ name }) => name)
      .sort(names.compare)
      .join(', '),
  }));
}

function ProofList(props: {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly empty: string;
  readonly note?: string;
}): React.JSX.Element {
  const { title, lines, empty, note } = props;
  return (
    <div>
      <h3>{title}</h3>
      {lines.length === 0 ? (
        <p className="remuda-subtle">{empty}</p>
      ) : (
        <ul>
          {lines.map(({ what, detail }) => (
            <li key={what}>
              {what}
              {detail === undefined ? undefined : <div className="remuda-subtle">{detail}</div>}
            </li>
          ))}
        </ul>
      )}
      {note === undefined ? undefined : <p className="remuda-subtle">{note}</p>}
    </div>
  );
}
