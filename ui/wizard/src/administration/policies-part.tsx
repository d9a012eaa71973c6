import { Label } from '@patternfly/react-core';
import { ClipboardCheckIcon } from '@patternfly/react-icons';
import { Link } from 'wouter';
import type { PolicyTest, PolicyView } from '../../../../daemon/api/types.ts';
import { CommandPart } from './command-part.tsx';
import { type PolicyRules, rulesOf } from './policy-rules.ts';
import { usePolicies, usePolicyTest } from './queries.ts';
import { policyTexts as words } from './texts.ts';

type Verdict = PolicyTest['verdicts'][number];

/** Policies in force, each with its expressions and with what it says of the clusters there are. */
export function PoliciesPart(): React.JSX.Element {
  const { data, error } = usePolicies();
  const test = usePolicyTest();
  return (
    <CommandPart words={words} icon={ClipboardCheckIcon} items={data} error={error ?? test.error}>
      {(policies) =>
        policies.map((policy) => (
          <Policy
            key={policy.name}
            policy={policy}
            verdicts={test.data?.verdicts.filter((verdict) => verdict.policy === policy.name)}
          />
        ))
      }
    </CommandPart>
  );
}

/** `DELETE` → `deleted`. */
const operationText = (operation: string): string =>
  Object.entries(words.operations).find(([name]) => name === operation)?.[1] ?? operation.toLowerCase();

function Policy(props: {
  readonly policy: PolicyView;
  readonly verdicts: readonly Verdict[] | undefined;
}): React.JSX.Element {
  const { policy, verdicts } = props;
  const rules = rulesOf(policy.document);
  return (
    <section className="remuda-policy" aria-label={policy.name}>
      <div className="remuda-policy-head">
        <h2>{policy.name}</h2>
        <Label isCompact status={rules.action === 'Deny' ? 'danger' : 'warning'}>
          {words.actions[rules.action]}
        </Label>
        <span className="remuda-subtle">
          {words.sources[policy.source]} · {words.holds} {rules.clusters?.join(', ') ?? words.all}
          {rules.operations === undefined ? '' : ` ${words.when(rules.operations.map(operationText))}`}
        </span>
      </div>
      <Validations rules={rules} />
      {verdicts === undefined ? undefined : (
        <Verdicts verdicts={verdicts} isOne={rules.validations.length === 1} />
      )}
    </section>
  );
}

function Validations({ rules }: { readonly rules: PolicyRules }): React.JSX.Element {
  return (
    <ul>
      {rules.validations.map(({ expression, message }) => (
        <li key={expression}>
          {message}
          <code className="remuda-expression">{expression}</code>
        </li>
      ))}
    </ul>
  );
}

/** What a plan made today would be told. */
function Verdicts(props: {
  readonly verdicts: readonly Verdict[];
  /** With a single expression it is clear already which one is broken. */
  readonly isOne: boolean;
}): React.JSX.Element {
  const { verdicts, isOne } = props;
  const broken = verdicts.filter(({ outcome }) => outcome !== 'passes');
  // A cluster may be judged twice: as it is, and as if it were deleted.
  const clusters = new Set(verdicts.map(({ cluster }) => cluster)).size;
  if (clusters === 0) return <p className="remuda-subtle">{words.noClusters}</p>;
  if (broken.length === 0) return <p className="remuda-subtle">{words.allPass(clusters)}</p>;
  return (
    <>
      <p>{words.breaks(new Set(broken.map(({ cluster }) => cluster)).size, clusters)}</p>
      <ul>
        {broken.map(({ cluster, operation, objections }) => (
          <li key={`${cluster}/${operation}`}>
            <Link href={`/clusters/${encodeURIComponent(cluster)}`}>{cluster}</Link>{' '}
            {operation === 'DELETE' ? `${words.ifDeleted} ` : ''}
            {isOne ? '' : objections.map(({ summary }) => summary).join(' ')}
          </li>
        ))}
      </ul>
    </>
  );
}
