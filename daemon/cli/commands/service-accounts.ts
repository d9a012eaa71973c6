import type { Command } from 'commander';
import { issuedTokenSchema, serviceAccountSchema } from '../../api/types.ts';
import { type ListOptions, pathOf, roleOption, timeOrDash, showList } from './access-options.ts';
import { outputOption } from './options.ts';
import type { Session } from './session.ts';

/** service-account. */
export function addAccountCommands(account: Command, session: Session): void {
  account
    .command('list')
    .description('service accounts')
    .addOption(outputOption())
    .action(async ({ output }: ListOptions) => {
      await showList(
        session,
        { output },
        {
          path: pathOf('service-accounts'),
          item: serviceAccountSchema,
          columns: [
            { title: 'NAME', cell: (item) => item.name },
            { title: 'ROLE', cell: (item) => item.role },
            { title: 'TOKENS', cell: (item) => String(item.tokens) },
            { title: 'LAST USED', cell: (item) => timeOrDash(item.lastUsedAt) },
          ],
          empty: 'There are no service accounts.',
        },
      );
    });
  account
    .command('create <name>')
    .description('adds an account for a program; it has no token yet')
    .addOption(roleOption())
    .action(async (name: string, { role }: { readonly role: string }) => {
      const client = await session.client();
      const body = { name, role };
      await client.call({
        method: 'POST',
        path: pathOf('service-accounts'),
        body,
        answer: serviceAccountSchema,
      });
      session.printer.answer(
        `service account ${name} created; a token: remuda service-account token ${name} TOKEN`,
      );
    });
  account
    .command('remove <name>')
    .description('forgets an account with its tokens and grants, at once')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: pathOf('service-accounts', name) });
      session.printer.answer(`service account ${name} removed`);
    });
  addAccountToken(account, session);
}

function addAccountToken(account: Command, session: Session): void {
  account
    .command('token <name> <token>')
    .description('a new token of an account, printed once')
    .option('--days <number>', 'how long it is valid', '30')
    .option('--verb <verb...>', 'cut it down to these verbs')
    .option('--cluster <name...>', 'cut it down to these clusters')
    .action(
      async (
        name: string,
        token: string,
        options: { readonly days: string; readonly verb?: string[]; readonly cluster?: string[] },
      ) => {
        const client = await session.client();
        const { verb: verbs, cluster: clusters } = options;
        const scope = { ...(verbs ? { verbs } : {}), ...(clusters ? { clusters } : {}) };
        const issued = await client.call({
          method: 'POST',
          path: pathOf('service-accounts', name, 'tokens'),
          body: {
            name: token,
            days: Number(options.days),
            ...(verbs || clusters ? { scope } : {}),
          },
          answer: issuedTokenSchema,
        });
        session.printer.answer(issued.token);
        session.printer.note(`For ${name}, for ${options.days} days. It is not shown again.`);
      },
    );
}
