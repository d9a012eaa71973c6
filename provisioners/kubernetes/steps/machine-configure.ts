import { z } from 'zod';
import { type MachineRef, machineRefSchema, machineRoleSchema } from '../../contract/machine.ts';
import type { FileContent } from '../../contract/ports/file.ts';
import type { HostSettings } from '../../contract/ports/host.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, role: machineRoleSchema });

/** https://kubernetes.io/docs/setup/production-environment/container-runtimes/#network-configuration */
const modules = ['overlay', 'br_netfilter'];

/**
 * Forwarding for pods (same source), and the values the kubelet insists on with protectKernelDefaults
 * (pkg/kubelet/cm: setupKernelTunables; CIS 4.2.6).
 */
const sysctls = {
  'net.ipv4.ip_forward': '1',
  'net.bridge.bridge-nf-call-iptables': '1',
  'vm.overcommit_memory': '1',
  'vm.panic_on_oom': '0',
  'kernel.panic': '10',
  'kernel.panic_on_oops': '1',
  'kernel.keys.root_maxkeys': '1000000',
  'kernel.keys.root_maxbytes': '25000000',
};

/** haproxy binds the virtual address before the machine holds it. */
const masterSysctls = { ...sysctls, 'net.ipv4.ip_nonlocal_bind': '1' };

/** Only the machine's own name: a list of all machines would change every machine with each one that is added. */
function settingsOf(machine: MachineRef, role: string): HostSettings {
  return {
    hostname: machine.name,
    modules,
    sysctls: role === 'control-plane' ? masterSysctls : sysctls,
    hosts: { [machine.address]: [machine.name] },
  };
}

const ownerOf = ({ cluster }: StepContext): FileContent => ({
  path: paths.owner,
  content: `${cluster.uid}\n`,
  mode: 0o644,
});

/** Host name, kernel modules, sysctls, and the mark whose machine this is. */
export const machineConfigure = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'machine.configure',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine }) => `Configure ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, role }) {
    const [differing, wrong] = await Promise.all([
      context.file.differ(machine, [ownerOf(context)]),
      context.host.inspect(machine, settingsOf(machine, role)),
    ]);
    const why = [...differing.map(({ path, why: reason }) => `${path}: ${reason}`), ...wrong].join('; ');
    return why === '' ? { state: 'done', facts: {} } : { state: 'todo', why };
  },
  async apply(context, { machine, role }) {
    const [changes] = await Promise.all([
      context.host.configure(machine, settingsOf(machine, role)),
      context.file.write(machine, [ownerOf(context)]),
    ]);
    for (const change of changes) context.log(change, machine.name);
  },
});
