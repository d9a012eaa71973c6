import { Button, Label } from '@patternfly/react-core';
import { PlusCircleIcon } from '@patternfly/react-icons';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import type { UserView } from '../../../../daemon/api/types.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { useSession } from '../session/session.ts';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import { AddPerson } from './add-person.tsx';
import { PartHead } from './part-head.tsx';
import { PersonActions } from './person-actions.tsx';
import { usePeople } from './queries.ts';
import { peopleTexts as words, texts } from './texts.ts';

const { columns } = words;

/** Everybody who may sign in. There is always somebody: the reader. */
export function PeoplePart(): React.JSX.Element {
  const { data, error } = usePeople();
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PartHead intro={words.intro}>
        <Button icon={<PlusCircleIcon />} onClick={() => setAdding(true)}>
          {words.add}
        </Button>
      </PartHead>
      {isAdding ? <AddPerson onClose={() => setAdding(false)} /> : undefined}
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data === undefined ? undefined : <People people={data} />}
    </>
  );
}

function People({ people }: { readonly people: readonly UserView[] }): React.JSX.Element {
  return (
    <Table aria-label={texts.parts.people}>
      <Thead>
        <Tr>
          <Th width={30}>{columns.name}</Th>
          <Th>{columns.source}</Th>
          <Th>{columns.role}</Th>
          <Th>{columns.factor}</Th>
          <Th>{columns.signIn}</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {people.map((person) => (
          <Row key={person.id} person={person} />
        ))}
      </Tbody>
    </Table>
  );
}

function Row({ person }: { readonly person: UserView }): React.JSX.Element {
  const { session } = useSession();
  const { name, role, secondFactor, lastSignInAt, directory, id } = person;
  return (
    <Tr>
      <Td dataLabel={columns.name}>
        <span className="remuda-names">
          <span className="remuda-name">{name}</span>
          {id === session.principal.id ? (
            <Label isCompact variant="outline">
              {words.you}
            </Label>
          ) : undefined}
          <State person={person} />
        </span>
      </Td>
      <Td dataLabel={columns.source}>{directory ?? words.local}</Td>
      <Td dataLabel={columns.role}>{role}</Td>
      <Td dataLabel={columns.factor}>{secondFactor ? words.factorOn : words.factorOff}</Td>
      <Td dataLabel={columns.signIn}>
        {lastSignInAt === undefined ? texts.never : <Time at={lastSignInAt} />}
      </Td>
      <Td isActionCell>
        <PersonActions person={person} />
      </Td>
    </Tr>
  );
}

/** Nothing for those who are simply there. */
function State({ person }: { readonly person: UserView }): React.JSX.Element | undefined {
  const { state, invitationEndsAt } = person;
  if (state === 'active') return undefined;
  if (state === 'disabled')
    return (
      <Label isCompact status="warning">
        {words.states.disabled}
      </Label>
    );
  return (
    <>
      <Label isCompact status="info">
        {words.states.invited}
      </Label>
      {invitationEndsAt === undefined ? undefined : (
        <span className="remuda-subtle">
          {words.invitedUntil} <Time at={invitationEndsAt} />
        </span>
      )}
    </>
  );
}
