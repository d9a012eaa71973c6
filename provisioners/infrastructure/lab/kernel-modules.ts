import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, succeeds } from './command.ts';

/** Where the kernel says what bridged packets pass through; there only while br_netfilter is loaded or built in. */
const bridgeFolder = '/proc/sys/net/bridge';

/** Whether the box's kernel has a module, or would load it when asked. Changes nothing. */
export const canLoad = (module: string): Promise<boolean> =>
  succeeds('modprobe', ['--dry-run', '--quiet', module]);

/** Whether bridged packets can be filtered on this box, as kube-proxy in its hosts needs it. */
export const canFilterBridges = async (): Promise<boolean> =>
  existsSync(bridgeFolder) || (await canLoad('br_netfilter'));

/**
 * Loads br_netfilter where it is not: hosts share the box's kernel and may load nothing themselves. New network
 * namespaces, those of the hosts, then filter bridged packets; for the box's own bridges this stays off, as it was.
 * The parameters are the tests' way in.
 * @throws Transient when the module cannot be loaded
 */
export async function loadBridgeFilter(
  folder = bridgeFolder,
  load: (module: string) => Promise<unknown> = (module) => run('modprobe', [module]),
): Promise<void> {
  if (existsSync(folder)) return;
  await load('br_netfilter');
  for (const protocol of ['iptables', 'ip6tables', 'arptables'])
    await writeFile(join(folder, `bridge-nf-call-${protocol}`), '0');
}
