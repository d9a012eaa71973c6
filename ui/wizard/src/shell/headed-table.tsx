import { Table, Tbody, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactNode } from 'react';

/** A table with one head for each column, in their order; its children are the rows. */
export function HeadedTable(props: {
  /** Its name, or the id of the heading that names it. */
  readonly name: { readonly label: string } | { readonly by: string };
  readonly columns: Readonly<Record<string, string>>;
  /** Name of a last column of buttons, which only a screen reader needs. */
  readonly actions?: string;
  readonly isCompact?: boolean;
  readonly hasBorders?: boolean;
  readonly children: ReactNode;
}): React.JSX.Element {
  const { name, columns, actions, isCompact = true, hasBorders = true, children } = props;
  return (
    <Table
      {...('label' in name ? { 'aria-label': name.label } : { 'aria-labelledby': name.by })}
      {...(isCompact ? { variant: 'compact' as const } : {})}
      borders={hasBorders}
    >
      <Thead>
        <Tr>
          {Object.values(columns).map((column) => (
            <Th key={column}>{column}</Th>
          ))}
          {actions === undefined ? undefined : <Th screenReaderText={actions} />}
        </Tr>
      </Thead>
      <Tbody>{children}</Tbody>
    </Table>
  );
}
