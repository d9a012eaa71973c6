import type { Command } from 'commander';
import type { MachineView } from '../../api/types.ts';
import type { Session } from './session.ts';

/** What there is to be said and done about a machine that could not be fenced; nothing of any other. */
export function unfencedText({ cluster, name, departure, unfencedBecause }: MachineView): string | undefined {
  if (departure !== 'unfenced') return undefined;
  return `${name} is unfenced and may run still (${unfencedBecause ?? 'nobody knows why'}): switch it off for good, then say so: remuda machine fenced ${cluster} ${name} --confirm ${name}`;
}

/** machine fenced. */
export function addMachineFencedCommand(machine: Command, session: Session): void {
  machine
    .command('fenced <cluster> <machine>')
    .description('say that a machine that could not be fenced is switched off and stays so; it is recorded')
    .option('--confirm <machine>', "the machine's name once more")
    .action(async (cluster: string, name: string, { confirm }: { readonly confirm?: string }) => {
      const client = await session.client();
      const path = `/api/v1/clusters/${encodeURIComponent(cluster)}/machines/${encodeURIComponent(name)}/fenced`;
      const body = confirm === undefined ? {} : { confirm };
      await client.call({ method: 'POST', path, body });
      session.printer.answer(`${name} counts as fenced from now on; nobody will try to destroy it`);
      session.printer.note(
        'What had stopped because of it goes on with: remuda operation resume OPERATION --wait',
      );
    });
}
