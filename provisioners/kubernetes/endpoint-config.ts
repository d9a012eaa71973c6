import ipaddr from 'ipaddr.js';
import type { MachineRef } from '../contract/machine.ts';

/** A master as the balancer sees it. */
interface EndpointServer {
  readonly name: string;
  readonly address: string;
}

/** What the two files are made from. */
export interface EndpointInput {
  readonly machine: MachineRef;
  /** Network card and prefix length of the machine's own address: where the virtual address will stand. */
  readonly network: { readonly interface: string; readonly prefix: number };
  readonly masters: readonly EndpointServer[];
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly apiPort: number;
}

/** Where haproxy tells keepalived, on loopback only, whether this machine may hold the virtual address. */
const statusPort = 6445;

const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;

/** Whether an endpoint is an address that Remuda itself holds, or a name that somebody else's balancer answers to. */
export const isVirtualAddress = (host: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(host);

/**
 * VRRP router id, 1 to 255: from the virtual address, so that two clusters of one network differ whenever their
 * addresses differ in the last byte. Peers are unicast and share a password, so that even equal ids do not meet.
 */
export function routerId(host: string): number {
  const last = ipaddr.IPv4.parse(host).octets[3] ?? 0;
  return last === 0 ? 255 : last;
}

/**
 * haproxy in front of all masters. It asks each for /readyz, so an entry that is stale or not there yet is harmless.
 * `/endpoint` on loopback fails when other masters are ready and this one is not. While none is ready it passes: then
 * the address serves nothing yet, and `kubeadm init` needs it to be somewhere.
 */
export function haproxyConfig({ machine, masters, endpoint, apiPort }: EndpointInput): string {
  return lines(
    'global',
    '  log stdout format raw local0 notice',
    '  maxconn 4000',
    'defaults',
    '  log global',
    '  timeout connect 2s',
    '  timeout client 10m',
    '  timeout server 10m',
    // A machine that is gone does not take the connection: told within two seconds. One that is busy may take its time,
    // or its clients would be cut off while it serves them.
    '  timeout check 4s',
    'frontend api',
    '  mode tcp',
    `  bind ${endpoint.host}:${endpoint.port}`,
    '  default_backend masters',
    'backend masters',
    '  mode tcp',
    '  option httpchk GET /readyz',
    // One that is ending gets nobody new, and keeps whom it serves to the end of what they asked: that is what it goes
    // on serving for (hardening.ts, shutdown-delay-duration; k8s.io/apiserver/pkg/server: the check named shutdown).
    '  http-check expect error-status L7OKC ! string "[-]shutdown failed"',
    // Who is not ready for another reason, or gone, has its clients sent away: they would stay with it for ever.
    '  http-check expect status 200',
    '  default-server check check-ssl verify none inter 1s fastinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions',
    ...masters.map(({ name, address }) => `  server ${name} ${address}:${apiPort}`),
    'frontend status',
    '  mode http',
    `  bind 127.0.0.1:${statusPort}`,
    '  monitor-uri /endpoint',
    `  acl is_ready srv_is_up(masters/${machine.name})`,
    '  acl is_any_ready nbsrv(masters) ge 1',
    '  monitor fail if is_any_ready !is_ready',
  );
}

/**
 * keepalived: the machine may hold the virtual address only while its own API server is ready (see
 * {@link haproxyConfig}); it never takes the address back from a machine that serves well (nopreempt). `password`
 * has 8 characters, all that VRRP has room for.
 */
export function keepalivedConfig(
  { machine, network, masters, endpoint }: EndpointInput,
  password: string,
): string {
  const peers = masters.filter(({ name }) => name !== machine.name).map(({ address }) => address);
  const rank = masters.findIndex(({ name }) => name === machine.name);
  return lines(
    'global_defs {',
    `  router_id ${machine.name}`,
    '  script_user root',
    '  enable_script_security',
    '}',
    'vrrp_script endpoint {',
    `  script "/usr/bin/curl --silent --fail --max-time 1 http://127.0.0.1:${statusPort}/endpoint"`,
    '  interval 1',
    '  fall 2',
    '  rise 1',
    '}',
    'vrrp_instance api {',
    '  state BACKUP',
    '  nopreempt',
    `  interface ${network.interface}`,
    `  virtual_router_id ${routerId(endpoint.host)}`,
    `  priority ${Math.max(1, 200 - rank)}`,
    '  advert_int 1',
    `  unicast_src_ip ${machine.address}`,
    ...(peers.length === 0 ? [] : ['  unicast_peer {', ...peers.map((peer) => `    ${peer}`), '  }']),
    '  authentication {',
    '    auth_type PASS',
    `    auth_pass ${password}`,
    '  }',
    '  virtual_ipaddress {',
    `    ${endpoint.host}/${network.prefix}`,
    '  }',
    '  track_script {',
    '    endpoint',
    '  }',
    '}',
  );
}
