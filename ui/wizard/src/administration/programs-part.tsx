import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
} from '@patternfly/react-core';
import { PlusCircleIcon, RobotIcon } from '@patternfly/react-icons';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ServiceAccountView } from '../../../../daemon/api/types.ts';
import { call } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import { AddQuestion } from './add-question.tsx';
import { PartHead } from './part-head.tsx';
import { accountPath, administrationKey, useServiceAccounts } from './queries.ts';
import { Question } from './question.tsx';
import { texts, programTexts as words } from './texts.ts';
import { Tokens } from './tokens.tsx';

const { columns } = words;
/** Columns of the table with the one that opens a row and the one of actions. */
const width = Object.keys(columns).length + 2;

/** Accounts of programs; a row opens on its tokens. */
export function ProgramsPart(): React.JSX.Element {
  const { data, error } = useServiceAccounts();
  const [isAdding, setAdding] = useState(false);
  const isSomething = data !== undefined && data.length > 0;
  const button = (
    <Button icon={<PlusCircleIcon />} onClick={() => setAdding(true)}>
      {words.add}
    </Button>
  );
  return (
    <>
      <PartHead intro={words.intro}>{isSomething ? button : undefined}</PartHead>
      {isAdding ? (
        <AddQuestion
          id="account"
          path="/api/v1/service-accounts"
          words={words}
          onAdded={() => setAdding(false)}
          onClose={() => setAdding(false)}
        />
      ) : undefined}
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data?.length === 0 ? (
        <EmptyState titleText={words.emptyTitle} headingLevel="h2" icon={RobotIcon}>
          <EmptyStateBody>{words.emptyBody}</EmptyStateBody>
          <EmptyStateFooter>
            <EmptyStateActions>{button}</EmptyStateActions>
          </EmptyStateFooter>
        </EmptyState>
      ) : undefined}
      {isSomething ? <Accounts accounts={data} /> : undefined}
    </>
  );
}

function Accounts({ accounts }: { readonly accounts: readonly ServiceAccountView[] }): React.JSX.Element {
  return (
    <Table aria-label={texts.parts.programs}>
      <Thead>
        <Tr>
          <Th screenReaderText="Open" />
          <Th width={25}>{columns.name}</Th>
          <Th>{columns.role}</Th>
          <Th>{columns.tokens}</Th>
          <Th>{columns.used}</Th>
          <Th>{columns.made}</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      {accounts.map((account, index) => (
        <Account key={account.id} account={account} index={index} />
      ))}
    </Table>
  );
}

function Account(props: { readonly account: ServiceAccountView; readonly index: number }): React.JSX.Element {
  const { account, index } = props;
  const { id, name, role, tokens, lastUsedAt, createdAt } = account;
  const [isOpen, setOpen] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  return (
    <Tbody isExpanded={isOpen}>
      <Tr>
        <Td
          expand={{ rowIndex: index, isExpanded: isOpen, onToggle: () => setOpen(!isOpen), expandId: id }}
        />
        <Td dataLabel={columns.name}>
          {/* PatternFly names the button that opens the row by this id. */}
          <span id={`simple-node${index}`} className="remuda-name">
            {name}
          </span>
        </Td>
        <Td dataLabel={columns.role}>{role}</Td>
        <Td dataLabel={columns.tokens}>{tokens}</Td>
        <Td dataLabel={columns.used}>{lastUsedAt === undefined ? texts.never : <Time at={lastUsedAt} />}</Td>
        <Td dataLabel={columns.made}>
          <Time at={createdAt} />
        </Td>
        <Td isActionCell>
          <Button variant="link" onClick={() => setRemoving(true)} aria-label={words.removeOf(name)}>
            {words.remove}
          </Button>
          {isRemoving ? <RemoveAccount name={name} onClose={() => setRemoving(false)} /> : undefined}
        </Td>
      </Tr>
      <Tr isExpanded={isOpen}>
        <Td colSpan={width}>
          <ExpandableRowContent>{isOpen ? <Tokens account={name} /> : undefined}</ExpandableRowContent>
        </Td>
      </Tr>
    </Tbody>
  );
}

function RemoveAccount(props: { readonly name: string; readonly onClose: () => void }): React.JSX.Element {
  const { name, onClose } = props;
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => call('DELETE', accountPath(name)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: administrationKey });
      onClose();
    },
  });
  return (
    <Question
      title={words.question.title(name)}
      action={words.question.action}
      onAct={remove.mutate}
      onClose={onClose}
      isDanger
      isBusy={remove.isPending}
      error={remove.error}
    >
      <p>{words.question.body}</p>
    </Question>
  );
}
