import type { Command } from 'commander';
import { directoryCheckSchema, directoryViewSchema } from '../../api/types.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { readSettings } from '../settings-file.ts';
import { type OutputForm, printData } from '../table.ts';
import { relativeTime } from '../times.ts';
import { showList } from './access-options.ts';
import { outputOption } from './options.ts';
import type { Session } from './session.ts';

const pathOf = (name: string, rest = ''): string => `/api/v1/directories/${encodeURIComponent(name)}${rest}`;

/** directory. */
export function addDirectoryCommands(program: Command, session: Session): void {
  const directory = program.command('directory').description('LDAP directories by which people sign in');
  directory
    .command('list')
    .description('directories by name')
    .addOption(outputOption())
    .action((options: { readonly output: OutputForm }) => list(session, options.output));
  directory
    .command('get <name>')
    .description('one directory as it was set')
    .action(async (name: string) => {
      const client = await session.client();
      const view = await client.call({ method: 'GET', path: pathOf(name), answer: directoryViewSchema });
      printData(session.printer, 'yaml', view.settings);
    });
  directory
    .command('set <name>')
    .description('make or change a directory')
    .requiredOption(
      '-f, --file <path>',
      'settings as YAML or JSON; instead of authority it may have authorityFile',
    )
    .action(async (name: string, { file }: { readonly file: string }) => {
      const client = await session.client();
      const body = readSettings(file);
      const view = await client.call({
        method: 'PUT',
        path: pathOf(name),
        body,
        answer: directoryViewSchema,
      });
      session.printer.answer(`directory ${view.name} kept; try it with: remuda directory test ${view.name}`);
    });
  directory
    .command('test <name>')
    .description('walk the way of a sign-in, without anybody signing in')
    .action((name: string) => test(session, name));
  directory
    .command('remove <name>')
    .description('nobody signs in by it any more')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: pathOf(name) });
      session.printer.answer(`directory ${name} removed`);
    });
}

async function list(session: Session, output: OutputForm): Promise<void> {
  await showList(
    session,
    { output },
    {
      path: '/api/v1/directories',
      item: directoryViewSchema,
      columns: [
        { title: 'NAME', cell: (item) => item.name },
        { title: 'TITLE', cell: (item) => item.settings.title },
        { title: 'SERVER', cell: (item) => item.settings.server },
        { title: 'ROLES', cell: (item) => `${item.settings.roles.length}` },
        { title: 'CHANGED', cell: (item) => relativeTime(item.updatedAt) },
      ],
      empty: 'There are no directories.',
    },
  );
}

async function test(session: Session, name: string): Promise<void> {
  const client = await session.client();
  const { isReachable, problem } = await client.call({
    method: 'POST',
    path: pathOf(name, '/test'),
    answer: directoryCheckSchema,
  });
  if (problem === undefined) {
    session.printer.answer(`directory ${name}: people can sign in`);
    return;
  }
  if (isReachable) session.printer.note('The server answers, and its certificate is the right one.');
  throw new CommandFailure(exitCode.failed, [problem]);
}
