import type { Command } from 'commander';
import type { z } from 'zod';
import {
  accessEntrySchema,
  grantSchema,
  setupCodeSchema,
  userAnswerSchema,
  userSchema,
} from '../../api/types.ts';
import { relativeTime } from '../times.ts';
import { type ListOptions, pathOf, roleOption, timeOrDash, showList } from './access-options.ts';
import { outputOption } from './options.ts';
import { addAccountCommands } from './service-accounts.ts';
import type { Session } from './session.ts';

/** user, grant, service-account, access, setup-code. */
export function addPeopleCommands(program: Command, session: Session): void {
  program
    .command('setup-code')
    .description('a new set-up code for a server that nobody has claimed; the one before is void')
    .action(async () => {
      const client = await session.client();
      const { code } = await client.call({
        method: 'POST',
        path: pathOf('setup-code'),
        answer: setupCodeSchema,
      });
      session.printer.answer(code);
      session.printer.note(`Open ${client.server} in a browser and type it there.`);
    });
  program
    .command('access')
    .description('who can get into which cluster, as what, through what')
    .addOption(outputOption())
    .action((options: ListOptions) => listAccess(session, options));
  addUserCommands(program.command('user').description('people'), session);
  addGrantCommands(program.command('grant').description('roles in one cluster'), session);
  addAccountCommands(program.command('service-account').description('accounts of programs'), session);
}

async function listAccess(session: Session, { output }: ListOptions): Promise<void> {
  await showList(
    session,
    { output },
    {
      path: pathOf('access-list'),
      item: accessEntrySchema,
      columns: [
        { title: 'CLUSTER', cell: (item) => item.cluster },
        { title: 'WHO', cell: (item) => item.principal },
        { title: 'ROLE', cell: (item) => item.role },
        { title: 'THROUGH', cell: (item) => item.through },
        { title: 'CREDENTIALS', cell: (item) => String(item.credentials) },
        { title: 'LAST USED', cell: (item) => timeOrDash(item.lastUsedAt) },
      ],
      empty: 'Nobody can get into a cluster.',
    },
  );
}

function addUserCommands(user: Command, session: Session): void {
  user
    .command('list')
    .description('people, and how they stand')
    .addOption(outputOption())
    .action(async ({ output }: ListOptions) => {
      await showList(
        session,
        { output },
        {
          path: pathOf('users'),
          item: userSchema,
          columns: [
            { title: 'NAME', cell: (item) => item.name },
            { title: 'ROLE', cell: (item) => item.role },
            { title: 'STATE', cell: (item) => item.state },
            { title: 'SECOND FACTOR', cell: (item) => (item.secondFactor ? 'yes' : 'no') },
            { title: 'LAST SIGN-IN', cell: (item) => timeOrDash(item.lastSignInAt) },
          ],
          empty: 'There are no people yet: claim the server with the set-up code (remuda setup-code).',
        },
      );
    });
  addUserChanges(user, session);
}

function addUserChanges(user: Command, session: Session): void {
  const invited = (answer: z.output<typeof userAnswerSchema>): void => {
    if (!answer.invitation) return;
    session.printer.answer(answer.invitation.code);
    session.printer.note(
      `The invitation of ${answer.user.name}, once, until ${answer.invitation.expiresAt}. It is not shown again.`,
    );
  };
  const change = async (name: string, body: object): Promise<z.output<typeof userAnswerSchema>> =>
    (await session.client()).call({
      method: 'PUT',
      path: pathOf('users', name),
      body,
      answer: userAnswerSchema,
    });
  user
    .command('create <name>')
    .description('adds a person and prints an invitation, with which she chooses her password')
    .addOption(roleOption())
    .action(async (name: string, { role }: { readonly role: string }) => {
      const client = await session.client();
      const body = { name, role };
      invited(await client.call({ method: 'POST', path: pathOf('users'), body, answer: userAnswerSchema }));
    });
  user
    .command('invite <name>')
    .description('a new invitation: for a forgotten password, or a lost second factor')
    .action(async (name: string) => invited(await change(name, { invite: true })));
  user
    .command('role <name> <role>')
    .description('gives another global role; her sessions end')
    .action(async (name: string, role: string) => {
      await change(name, { role });
      session.printer.answer(`${name} is ${role} now`);
    });
  for (const [word, isDisabled] of [
    ['disable', true],
    ['enable', false],
  ] as const)
    user
      .command(`${word} <name>`)
      .description(isDisabled ? 'lets her in no more, at once' : 'lets her in again')
      .action(async (name: string) => {
        await change(name, { isDisabled });
        session.printer.answer(`${name} is ${word}d`);
      });
  user
    .command('remove <name>')
    .description('forgets a person with her sessions, tokens and grants')
    .action(async (name: string) => {
      await (await session.client()).call({ method: 'DELETE', path: pathOf('users', name) });
      session.printer.answer(`${name} removed`);
    });
}

function addGrantCommands(grant: Command, session: Session): void {
  grant
    .command('list <cluster>')
    .description('roles in a cluster, beside the global ones')
    .addOption(outputOption())
    .action(async (cluster: string, { output }: ListOptions) => {
      await showList(
        session,
        { output },
        {
          path: pathOf('clusters', cluster, 'grants'),
          item: grantSchema,
          columns: [
            { title: 'ID', cell: (item) => item.id },
            { title: 'WHO', cell: (item) => item.principal ?? `group ${item.group ?? ''}` },
            { title: 'ROLE', cell: (item) => item.role },
            { title: 'BY', cell: (item) => item.grantedBy },
            { title: 'SINCE', cell: (item) => relativeTime(item.at) },
          ],
          empty: 'No role is given in this cluster; global roles count all the same.',
        },
      );
    });
  grant
    .command('give <cluster> <who>')
    .description('gives a role in a cluster; who: user:NAME, token:NAME')
    .addOption(roleOption())
    .option('--group', 'who is a group of a directory')
    .action(
      async (cluster: string, who: string, options: { readonly role: string; readonly group?: boolean }) => {
        const client = await session.client();
        const body =
          options.group === true
            ? { group: who, role: options.role }
            : { principal: who, role: options.role };
        await client.call({
          method: 'PUT',
          path: pathOf('clusters', cluster, 'grants'),
          body,
          answer: grantSchema,
        });
        session.printer.answer(`${who} is ${options.role} in ${cluster} now`);
      },
    );
  grant
    .command('take <cluster> <id>')
    .description('takes a role away, at once')
    .action(async (cluster: string, id: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: pathOf('clusters', cluster, 'grants', id) });
      session.printer.answer('taken away');
    });
}
