import type { VisitedMachine } from '../../provisioners/contract/found.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { Problem } from '../../provisioners/contract/problem.ts';
import type { HostKeys } from './host-keys.ts';

/** As whom machines of others are visited, and at which port of sshd. */
export interface Login {
  readonly port: number;
  readonly user: string;
}

/** Whether a machine shows a host key that it may show, and lets us in. Nothing is sent to one that does not. */
export async function visitMachine(
  { host }: Pick<Ports, 'host'>,
  { name, address }: { readonly name: string; readonly address: string },
  { port, user }: Login,
  hostKeys: HostKeys,
): Promise<VisitedMachine> {
  try {
    const { key, judged } = await hostKeys.lookAt(host, { name, address, port });
    if (judged !== undefined && !judged.given.includes(judged.shown))
      return { name, address, hostKey: judged, why: `it shows the host key ${judged.shown}` };
    const reference: MachineRef = { name, address, port, user, hostKeys: [key] };
    await host.reach(reference);
    return { name, address, reference, ...(judged === undefined ? {} : { hostKey: judged }) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { name, address, why: error.report.summary };
  }
}
