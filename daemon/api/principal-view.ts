import type { BrowserSession } from '../access/browser-sessions.ts';
import type { Principal } from '../access/principals.ts';
import type { People, Person } from '../access/people.ts';
import { roleFrom } from '../access/principals.ts';
import type { PrincipalView, SessionView } from './schemas/door.ts';
import type { UserView } from './schemas/people.ts';

/** A principal as it may be shown. */
export const viewPrincipal = ({ id, name, role, grants, source }: Principal): PrincipalView => ({
  id,
  name,
  role,
  grants,
  source,
});

/** The caller's own session. */
export function viewSession({ record, principal, csrf }: BrowserSession, secondFactor: boolean): SessionView {
  const { idleEndsAt, endsAt } = record;
  return { principal: viewPrincipal(principal), csrf, idleEndsAt, endsAt, secondFactor };
}

/** A person as an administrator sees her. `grants`: cluster → role. */
export function viewPerson(people: People, person: Person, grants: UserView['grants']): UserView {
  const { record, user } = person;
  const isInvited = user.password === undefined && user.directory === undefined;
  return {
    id: record.id,
    name: record.name,
    role: roleFrom(record.roles),
    grants,
    source: user.directory === undefined ? 'local' : 'directory',
    state: stateOf(record.disabledAt !== undefined, isInvited),
    secondFactor: user.isFactorConfirmed,
    createdAt: record.createdAt,
    isLastAdministrator: people.isLastAdministrator(person),
    ...(user.directory === undefined ? {} : { directory: user.directory }),
    ...(user.lastSignInAt === undefined ? {} : { lastSignInAt: user.lastSignInAt }),
    ...(user.invitationEndsAt === undefined ? {} : { invitationEndsAt: user.invitationEndsAt }),
  };
}

function stateOf(isDisabled: boolean, isInvited: boolean): UserView['state'] {
  if (isDisabled) return 'disabled';
  return isInvited ? 'invited' : 'active';
}
