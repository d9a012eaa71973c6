import { type Command, InvalidArgumentError, Option } from 'commander';
import { enrolmentTokenSchema, issuedTokenSchema, tokenViewSchema } from '../../api/types.ts';
import type { OutputForm } from '../table.ts';
import { relativeTime } from '../times.ts';
import { addLoginCommands } from './login.ts';
import { showList, timeOrDash } from './access-options.ts';
import { durationOf, outputOption } from './options.ts';
import { addPeopleCommands } from './people.ts';
import { addResealCommand } from './reseal.ts';
import type { Session } from './session.ts';

/** login, logout, people, agent, token. */
export function addAccessCommands(program: Command, session: Session): void {
  addLoginCommands(program, session);
  addPeopleCommands(program, session);
  const agent = program.command('agent').description("the sites' agents");
  agent
    .command('token <site>')
    .description('a token with which one agent of a site enrols, once')
    .addOption(new Option('--valid <duration>', 'how long it may be used').default('1h'))
    .option('--replace', 'refuse the present agent from now on and give its work to the new one')
    .action((site: string, options: { readonly valid: string; readonly replace?: boolean }) =>
      agentToken(session, site, options),
    );
  addResealCommand(agent, session);
  addTokenCommands(program.command('token').description('tokens of people and machine accounts'), session);
}

async function agentToken(
  session: Session,
  site: string,
  options: { readonly valid: string; readonly replace?: boolean },
): Promise<void> {
  const client = await session.client();
  const drawn = await client.call({
    method: 'POST',
    path: `/api/v1/agents/${encodeURIComponent(site)}/token`,
    body: {
      minutes: Math.max(1, Math.round(durationOf(options.valid) / 60_000)),
      replace: options.replace === true,
    },
    answer: enrolmentTokenSchema,
  });
  session.printer.answer(drawn.token);
  session.printer.note(
    `For one agent of site ${drawn.site}, once, until ${drawn.expiresAt}. It is not shown again.`,
  );
  if (options.replace === true)
    session.printer.note(
      `When it has enrolled: remuda agent reseal ${drawn.site} --recovery-key-file FILE. Until then it cannot open the secrets.`,
    );
}

/** The server's own limits, said before it is asked. */
function daysOf(text: string): number {
  const days = Number(text);
  if (!(days > 0 && days <= 366))
    throw new InvalidArgumentError('Write a number of days above 0, at most 366.');
  return days;
}

function addTokenCommands(token: Command, session: Session): void {
  token
    .command('create <name>')
    .description('a new token, printed once')
    .addOption(
      new Option('--role <role>', 'what it may do')
        .choices(['admin', 'operator', 'viewer'])
        .default('viewer'),
    )
    .addOption(
      new Option('--days <number>', 'how long it is valid, at most 366').argParser(daysOf).default(30),
    )
    .action(async (name: string, options: { readonly role: string; readonly days: number }) => {
      const client = await session.client();
      const issued = await client.call({
        method: 'POST',
        path: '/api/v1/tokens',
        body: { name, role: options.role, days: options.days },
        answer: issuedTokenSchema,
      });
      session.printer.answer(issued.token);
      session.printer.note(`For ${name} (${options.role}), for ${options.days} days. It is not shown again.`);
    });
  token
    .command('list')
    .description('tokens that are neither revoked nor expired')
    .addOption(outputOption())
    .action(async (options: { readonly output: OutputForm }) => {
      await showList(session, options, {
        path: '/api/v1/tokens',
        item: tokenViewSchema,
        columns: [
          { title: 'NAME', cell: (item) => item.name },
          { title: 'ROLE', cell: (item) => item.role },
          { title: 'CREATED', cell: (item) => relativeTime(item.createdAt) },
          {
            title: 'EXPIRES',
            cell: (item) => (item.expiresAt === undefined ? 'never' : relativeTime(item.expiresAt)),
          },
          { title: 'LAST USED', cell: (item) => timeOrDash(item.lastUsedAt) },
        ],
        empty: 'There are no tokens.',
      });
    });
  token
    .command('revoke <name>')
    .description('a revoked token is refused at once')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: `/api/v1/tokens/${encodeURIComponent(name)}` });
      session.printer.answer(`token ${name} revoked`);
    });
}
