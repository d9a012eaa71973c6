import type { HostFacts, MachineDeclaration } from '../../../provisioners/contract/preflight.ts';
import { z } from 'zod';

/** What the checks want to know whether it is installed. */
const tools = [
  'conntrack',
  'curl',
  'ip',
  'iptables',
  'mount',
  'socat',
  'flock',
  'haproxy',
  'keepalived',
  'systemd-run',
  'perl',
  'ping',
  'ss',
  'tar',
] as const;

/** Where Kubernetes puts what grows. The nearest folder that exists stands for one that does not yet. */
const diskPaths = ['/', '/var/lib/containerd', '/var/lib/kubelet', '/var/lib/etcd'] as const;

/** What a Kubernetes installation leaves. */
const leftoverPaths = [
  '/etc/kubernetes/manifests/kube-apiserver.yaml',
  '/etc/kubernetes/kubelet.conf',
  '/etc/kubernetes/pki/ca.crt',
  '/var/lib/etcd/member',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/rancher',
  '/var/lib/k0s',
  '/var/snap/microk8s',
] as const;

/** Prints sections, each begun by a line `@@name`: looking is the shell's business, understanding is ours. */
export const factsProgram = `
section() { printf '@@%s\\n' "$1"; }
section hostname; hostname
section machineId; cat /etc/machine-id 2>/dev/null
section productUuid; systemd-detect-virt --container --quiet 2>/dev/null || cat /sys/class/dmi/id/product_uuid 2>/dev/null
section os; cat /etc/os-release 2>/dev/null
section architecture; uname -m
section cpus; nproc
section memory; cat /proc/meminfo
section kernel; uname -r
section cgroup; stat -fc %T /sys/fs/cgroup
section controllers; cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null || awk '$4 == 1 { print $1 }' /proc/cgroups
section overlay; grep -qw overlay /proc/filesystems || modprobe -n overlay 2>/dev/null && echo yes
section bridge; { [ -e /proc/sys/net/bridge ] || [ -e /sys/module/br_netfilter ] || modprobe -n br_netfilter 2>/dev/null; } && echo yes
section forward; cat /proc/sys/net/ipv4/ip_forward
section disks
for path in ${diskPaths.join(' ')}; do
  at=$path; while [ ! -e "$at" ]; do at=$(dirname "$at"); done
  echo "$path $(df -B1 --output=avail "$at" | tail -n 1)"
done
section ports; ss -Hltnp
section addresses; ip -j address
section routes; ip -j -4 route show table main
section tools; for tool in ${tools.join(' ')}; do command -v "$tool" > /dev/null && echo "$tool"; done
section owner; cat /var/lib/remuda/cluster 2>/dev/null
section leftovers
for path in ${leftoverPaths.join(' ')}; do [ -e "$path" ] && echo "$path"; done
section declared; cat /etc/remuda/machine.json 2>/dev/null
exit 0
`;

const addressesSchema = z.array(
  z.object({
    ifname: z.string().optional(),
    mtu: z.number().optional(),
    addr_info: z
      .array(z.object({ local: z.string().optional(), prefixlen: z.number().optional() }))
      .optional(),
  }),
);

const routesSchema = z.array(
  z.object({ dst: z.string(), gateway: z.string().optional(), dev: z.string().optional() }),
);

const declarationSchema = z.object({
  cgroupDriver: z.enum(['systemd', 'cgroupfs']).exactOptional(),
  restrictOomScoreAdj: z.boolean().exactOptional(),
  conntrackUntouched: z.boolean().exactOptional(),
  ignorePreflightErrors: z.array(z.string()).exactOptional(),
});

/** Understands what {@link factsProgram} printed. Pure. */
export function parseFacts(
  output: string,
  clock: Pick<HostFacts, 'clock' | 'clockUncertainty' | 'askedAt'>,
): HostFacts {
  const sections = sectionsOf(output);
  const text = (name: string): string => (sections.get(name) ?? []).join('\n').trim();
  const words = (name: string): string[] => text(name).split(/\s+/u).filter(Boolean);
  const lines = (name: string): string[] => text(name).split('\n').filter(Boolean);
  const memory = valuesOf(lines('memory'), ':');
  const system = valuesOf(lines('os'), '=');
  const present = new Set(words('tools'));
  const productUuid = text('productUuid');
  const owner = text('owner');
  return {
    hostname: text('hostname'),
    machineId: text('machineId'),
    ...(productUuid === '' ? {} : { productUuid }),
    operatingSystem: { id: unquoted(system['ID']), version: unquoted(system['VERSION_ID']) },
    architecture: text('architecture'),
    cpus: Number(text('cpus')),
    memory: kibibytes(memory['MemTotal']),
    swap: kibibytes(memory['SwapTotal']),
    kernel: text('kernel'),
    cgroupVersion: text('cgroup') === 'cgroup2fs' ? 2 : 1,
    cgroupControllers: words('controllers'),
    kernelFeatures: {
      overlay: text('overlay') === 'yes',
      brNetfilter: text('bridge') === 'yes',
      ipForward: text('forward') === '1',
    },
    freeDisk: Object.fromEntries(
      lines('disks').map((line): [string, number] => {
        const [path = '', free] = line.split(/\s+/u);
        return [path, Number(free)];
      }),
    ),
    ...clock,
    listeningPorts: lines('ports').flatMap(listenerOf),
    addresses: addressesOf(text('addresses')),
    routes: routesSchema.parse(jsonOf(text('routes'))).map(routeOf),
    tools: Object.fromEntries(tools.map((tool) => [tool, present.has(tool)])),
    ...(owner === '' ? {} : { ownedBy: owner }),
    leftovers: lines('leftovers'),
    declared: declarationOf(text('declared')),
  };
}

function sectionsOf(output: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('@@')) {
      current = [];
      sections.set(line.slice(2), current);
    } else current.push(line);
  }
  return sections;
}

function valuesOf(lines: readonly string[], separator: string): Record<string, string> {
  return Object.fromEntries(
    lines.map((line): [string, string] => {
      const at = line.indexOf(separator);
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }),
  );
}

const unquoted = (text = ''): string => text.replaceAll(/^["']|["']$/gu, '');
const kibibytes = (text = '0'): number => Number.parseInt(text, 10) * 1024;
const jsonOf = (text: string): unknown => (text === '' ? [] : JSON.parse(text));

/** A line of `ss -Hltnp`; the process is unknown to users who are not root. */
function listenerOf(line: string): { readonly port: number; readonly process: string }[] {
  const port = Number(/:(\d+)\s/u.exec(line.split(/\s+/u).slice(3, 4).join('') + ' ')?.[1]);
  const process = /users:\(\("([^"]+)"/u.exec(line)?.[1] ?? 'unknown';
  return Number.isInteger(port) && port > 0 ? [{ port, process }] : [];
}

function addressesOf(text: string): HostFacts['addresses'] {
  return addressesSchema
    .parse(jsonOf(text))
    .flatMap(({ ifname = '', mtu = 0, addr_info: infos = [] }) =>
      infos.flatMap(({ local, prefixlen }) =>
        local === undefined || prefixlen === undefined
          ? []
          : [{ interface: ifname, cidr: `${local}/${prefixlen}`, mtu }],
      ),
    );
}

function routeOf({
  dst,
  gateway,
  dev = '',
}: z.infer<typeof routesSchema>[number]): HostFacts['routes'][number] {
  const route = { destination: dst, interface: dev };
  return gateway === undefined ? route : { ...route, via: gateway };
}

/** What cannot be understood is no declaration; the step that needs it reads the file again and says so. */
function declarationOf(text: string): MachineDeclaration {
  if (text === '') return {};
  try {
    return declarationSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
