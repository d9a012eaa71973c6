import type { Command } from 'commander';
import { z } from 'zod';
import { policyTestSchema, policyViewSchema } from '../../api/types.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { type OutputForm, printData, printList } from '../table.ts';
import { showList } from './access-options.ts';
import { outputOption, readFiles, refuseProblems } from './options.ts';
import type { Session } from './session.ts';

/** policy. */
export function addPolicyCommands(program: Command, session: Session): void {
  const policy = program
    .command('policy')
    .description('rules that every plan must pass; `remuda apply` brings new ones');
  policy
    .command('list')
    .description('policies in force')
    .addOption(outputOption())
    .action((options: { readonly output: OutputForm }) => list(session, options.output));
  policy
    .command('get <name>')
    .description('one policy, as a document that can be applied again')
    .action(async (name: string) => {
      const client = await session.client();
      const path = `/api/v1/policies/${encodeURIComponent(name)}`;
      const { document } = await client.call({ method: 'GET', path, answer: policyViewSchema });
      printData(session.printer, 'yaml', document);
    });
  policy
    .command('test')
    .description(
      'what policies say of every cluster there is; changes nothing (exit 6: one would be refused)',
    )
    .option('-f, --file <path>', 'file with policies to try; without it those in force')
    .addOption(outputOption())
    .action((options: { readonly file?: string; readonly output: OutputForm }) => test(session, options));
  policy
    .command('remove <name>')
    .description('take a policy out of force')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: `/api/v1/policies/${encodeURIComponent(name)}` });
      session.printer.answer(`policy ${name} removed`);
    });
}

const documentSchema = z.object({
  spec: z.object({
    action: z.string(),
    match: z.object({
      clusters: z.array(z.string()).optional(),
      operations: z.array(z.string()).optional(),
    }),
    validations: z.array(z.object({ message: z.string().optional(), expression: z.string() })),
  }),
});

async function list(session: Session, output: OutputForm): Promise<void> {
  const specOf = (item: z.output<typeof policyViewSchema>) => documentSchema.parse(item.document).spec;
  await showList(
    session,
    { output },
    {
      path: '/api/v1/policies',
      item: policyViewSchema,
      columns: [
        { title: 'NAME', cell: (item) => item.name },
        { title: 'ACTION', cell: (item) => specOf(item).action },
        { title: 'CLUSTERS', cell: (item) => specOf(item).match.clusters?.join(', ') ?? 'all' },
        { title: 'ON', cell: (item) => specOf(item).match.operations?.join(', ') ?? 'CREATE, UPDATE' },
        { title: 'SOURCE', cell: (item) => item.source },
        {
          title: 'SAYS',
          cell: (item) => {
            const [first] = specOf(item).validations;
            return first?.message ?? first?.expression ?? '';
          },
        },
      ],
      empty: 'There are no policies.',
    },
  );
}

async function test(
  session: Session,
  { file, output }: { readonly file?: string; readonly output: OutputForm },
): Promise<void> {
  const given = file === undefined ? undefined : await readFiles(session, [file]);
  const client = await session.client();
  const { problems, verdicts } = await client.call({
    method: 'POST',
    path: '/api/v1/policies/test',
    body: given === undefined ? {} : { text: given.text, file: given.name },
    answer: policyTestSchema,
  });
  if (given !== undefined) refuseProblems(given, problems);
  printList(
    session.printer,
    output,
    verdicts,
    [
      { title: 'CLUSTER', cell: (item) => item.cluster },
      { title: 'POLICY', cell: (item) => item.policy },
      { title: 'OPERATION', cell: (item) => item.operation },
      { title: 'OUTCOME', cell: (item) => item.outcome },
      { title: 'WHY', cell: (item) => item.objections.map(({ summary }) => summary).join(' ') },
    ],
    'There is no cluster of which a policy speaks.',
  );
  if (verdicts.some(({ outcome }) => outcome === 'denies')) throw new CommandFailure(exitCode.changes, []);
}
