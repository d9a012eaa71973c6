import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { principalName } from '../session/principal-name.ts';
import { Time } from '../time/time.tsx';

/** Who has agreed to the plan that waits, and how many are missing, where more than one must. */
export function Agreement({
  operation,
}: {
  readonly operation: OperationDetail;
}): React.JSX.Element | undefined {
  const { agreement } = operation;
  if (agreement === undefined) return undefined;
  const { needed, agreed, missing } = agreement;
  return (
    <section className="remuda-agreement" aria-label="Who has agreed">
      <p>
        <strong>
          {agreed.length} of {needed} have agreed
        </strong>
        , {missing} {missing === 1 ? 'is' : 'are'} missing.
      </p>
      <ul>
        {agreed.map(({ principal, at }) => (
          <li key={principal}>
            {principalName(principal)}, <Time at={at} form="full" />
          </li>
        ))}
      </ul>
    </section>
  );
}
