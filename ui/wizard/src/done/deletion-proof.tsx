import type { OperationDetail } from '../../../../daemon/api/types.ts';
import './done.css';

interface Entry {
  readonly type: string;
  readonly name: string;
}

/** Facts of the step that proves a deletion (provisioners/kubernetes/steps/teardown-prove.ts). */
interface Proof {
  readonly gone: readonly Entry[];
  readonly kept: readonly (Entry & { readonly policy: string })[];
  readonly left: readonly (Entry & { readonly why: string })[];
}

const words = {
  title: 'What became of everything',
  gone: 'Gone',
  kept: 'Kept by policy',
  left: 'Left, and why',
  nothing: 'Nothing.',
} as const;

/** The three lists of a deletion; nothing for other operations, and before it is proven. */
export function DeletionProof({
  operation,
}: {
  readonly operation: OperationDetail;
}): React.JSX.Element | undefined {
  const proof = proofOf(operation);
  if (proof === undefined) return undefined;
  return (
    <section className="remuda-proof" aria-label={words.title}>
      <h2>{words.title}</h2>
      <div className="remuda-proof-lists">
        <ProofList title={words.gone} lines={byType(proof.gone)} />
        <ProofList
          title={words.kept}
          lines={proof.kept.map(({ type, name, policy }) => `${type} ${name}: ${policy}`)}
        />
        <ProofList
          title={words.left}
          lines={proof.left.map(({ type, name, why }) => `${type} ${name}: ${why}`)}
        />
      </div>
    </section>
  );
}

function proofOf({ stepList }: OperationDetail): Proof | undefined {
  const step = stepList.find(
    ({ kind, state }) => kind === 'teardown.prove' && (state === 'succeeded' || state === 'kept'),
  );
  const facts = step?.facts as Partial<Proof> | undefined;
  return Array.isArray(facts?.gone) && Array.isArray(facts.kept) && Array.isArray(facts.left)
    ? (facts as Proof)
    : undefined;
}

function byType(entries: readonly Entry[]): readonly string[] {
  return [...Map.groupBy(entries, ({ type }) => type)].map(
    ([type, of]) =>
      `${of.length} ${type}${of.length === 1 ? '' : 's'}: ${of.map(({ name }) => name).join(', ')}`,
  );
}

function ProofList(props: { readonly title: string; readonly lines: readonly string[] }): React.JSX.Element {
  return (
    <div>
      <h3>{props.title}</h3>
      {props.lines.length === 0 ? (
        <p className="remuda-subtle">{words.nothing}</p>
      ) : (
        <ul>
          {props.lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
