import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { ClientCertificates } from '../../appliance/agent/client-certificates.ts';
import { MachinePool } from '../../appliance/agent/ssh/pool.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import { payloadCache } from '../../provisioners/payload/cache.ts';
import type { ComponentBench } from '../contract/components.ts';
import type { DrainBench } from '../contract/drain.ts';
import type { EtcdBench } from '../contract/etcd.ts';
import type { LabBench } from './contract-bench.ts';

/** Port of the API servers, as the lab's clusters have it. */
const apiPort = 6444;
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** etcd from Debian's package and an API server from the lab payload's stages; undefined when they are not built. */
export function binaries(): { readonly etcd: Buffer; readonly apiServer: Buffer } | undefined {
  const { stages, packages } = payloadCache();
  if (!existsSync(stages) || !existsSync(packages)) return undefined;
  const stage = readdirSync(stages).find((name) => name.startsWith('binaries-v1.20.2-'));
  const deb = readdirSync(packages).find((name) => name.startsWith('etcd-server_'));
  const apiServer = join(stages, stage ?? '', 'kube-apiserver');
  if (stage === undefined || deb === undefined || !existsSync(apiServer)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'remuda-etcd-'));
  try {
    execFileSync('dpkg-deb', ['-x', join(packages, deb), folder]);
    return { etcd: readFileSync(join(folder, 'usr/bin/etcd')), apiServer: readFileSync(apiServer) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A certificate for serving under the names, and for being a client of others of its kind. */
export async function serverPair(
  authority: { readonly certificate: string; readonly key: string },
  names: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[],
): Promise<{ readonly certificate: string; readonly key: string }> {
  const keys = await crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
  const [der] = x509.PemConverter.decode(authority.key);
  const signingKey = await crypto.subtle.importKey('pkcs8', der ?? new ArrayBuffer(0), ecdsa, false, [
    'sign',
  ]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=server',
    issuer: new x509.X509Certificate(authority.certificate).subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ecdsa,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    extensions: [
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([...names]),
    ],
  });
  const key = x509.PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  );
  return { certificate: certificate.toString('pem'), key };
}

/** Starts etcd on every machine of the bench and an API server on the first, by hand, with the cluster's own CAs. */
export async function startControlPlane(lab: LabBench): Promise<EtcdBench & ComponentBench & DrainBench> {
  const found = binaries();
  if (found === undefined) throw new Error('build the lab payload first: scripts/payload build v1.20.2');
  const pool = new MachinePool();
  const run = async (machine: MachineRef, text: string, input: Buffer | string = ''): Promise<string> => {
    const result = await pool.run(machine, lab.keys.sshPrivateKey, { text, input }, { patience: 120_000 });
    if (result.exitCode !== 0) throw new Error(`${machine.name}: ${text}: ${result.stderr}`);
    return result.stdout.toString('utf8');
  };
  const initial = lab.machines.map(({ name, address }) => `${name}=https://${address}:2380`).join(',');
  await Promise.all(lab.machines.map((machine) => startEtcd(lab, machine, initial, found.etcd, run)));
  await startApiServer(lab, found.apiServer, run);
  return {
    ...lab,
    ...(await othersAt(lab, run)),
    access: { masters: lab.machines, apiPort },
    component: {
      name: 'etcd',
      argument: '--cert-file=/pki/etcd.crt',
      files: ['/pki/etcd.crt'],
      port: 2379,
    },
    stopMember: async (name) => {
      const machine = lab.machines.find((each) => each.name === name) ?? lab.machine;
      await run(machine, 'systemctl stop fake-etcd');
    },
    addUnstarted: async () => {
      const body = JSON.stringify({ peerURLs: [`https://${lab.absent.address}:2380`] });
      const curl = `curl --silent --fail --cacert /pki/etcd-ca.crt --cert /pki/etcd.crt --key /pki/etcd.key`;
      // etcd adds no member (503) until all have been connected for 5 s, and a suite before may have restarted one.
      const patient = `${curl} --retry 20 --retry-delay 1`;
      await run(lab.machine, `${patient} -X POST -d '${body}' https://localhost:2379/v3/cluster/member/add`);
    },
    stop: async () => {
      await pool.stop();
      await lab.stop();
    },
  };
}

/** A person with kubectl and a kubelet, as far as the API server can tell: an administrator's requests by hand. */
async function othersAt(
  lab: LabBench,
  run: Run,
): Promise<Pick<DrainBench, 'cordonAsSomebody' | 'reportRunning'>> {
  const { client } = await new ClientCertificates(async () => lab.keys).kubernetes();
  await lab.ports().file.write(lab.machine, [
    { path: '/pki/admin.crt', content: client.certificate, mode: 0o644 },
    { path: '/pki/admin.key', content: client.key, mode: 0o600 },
  ]);
  const curl =
    'curl --silent --show-error --fail --cacert /pki/ca.crt --cert /pki/admin.crt --key /pki/admin.key';
  const patch = async (path: string, manager: string, change: object): Promise<void> => {
    const url = `https://${lab.machine.address}:${apiPort}/api/v1/${path}?fieldManager=${manager}`;
    const type = 'content-type: application/merge-patch+json';
    await run(lab.machine, `${curl} -X PATCH -H '${type}' --data-binary @- '${url}'`, JSON.stringify(change));
  };
  return {
    cordonAsSomebody: (node, isUnschedulable) =>
      patch(`nodes/${node}`, 'kubectl-cordon', { spec: { unschedulable: isUnschedulable ? true : null } }),
    reportRunning: ({ namespace, name }) =>
      patch(`namespaces/${namespace}/pods/${name}/status`, 'kubelet', {
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      }),
  };
}

type Run = (machine: MachineRef, text: string, input?: Buffer | string) => Promise<string>;

async function startEtcd(
  lab: LabBench,
  machine: MachineRef,
  initial: string,
  etcd: Buffer,
  run: Run,
): Promise<void> {
  const { name, address } = machine;
  const pair = await serverPair(lab.keys.etcd, [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: address },
  ]);
  await run(machine, 'cat > /usr/local/bin/etcd; chmod 0755 /usr/local/bin/etcd', etcd);
  const tls = ['', 'peer-'].map(
    (which) =>
      `--${which}cert-file=/pki/etcd.crt --${which}key-file=/pki/etcd.key --${which}trusted-ca-file=/pki/etcd-ca.crt --${which}client-cert-auth`,
  );
  const command = [
    `/usr/local/bin/etcd --name=${name} --data-dir=/var/lib/etcd/fake`,
    `--listen-client-urls=https://127.0.0.1:2379,https://${address}:2379 --advertise-client-urls=https://${address}:2379`,
    `--listen-peer-urls=https://${address}:2380 --initial-advertise-peer-urls=https://${address}:2380`,
    `--initial-cluster=${initial} ${tls.join(' ')}`,
  ].join(' ');
  await lab.ports().file.write(machine, [
    { path: '/pki/etcd-ca.crt', content: lab.keys.etcd.certificate, mode: 0o644 },
    { path: '/pki/etcd.crt', content: pair.certificate, mode: 0o644 },
    { path: '/pki/etcd.key', content: pair.key, mode: 0o600 },
    {
      path: '/etc/systemd/system/fake-etcd.service',
      content: `[Service]\nType=simple\nRestart=always\nRestartSec=1\nExecStart=${command}\n`,
      mode: 0o644,
    },
  ]);
  await run(machine, 'mkdir -p -m 0700 /var/lib/etcd; systemctl daemon-reload; systemctl start fake-etcd');
}

async function startApiServer(lab: LabBench, apiServer: Buffer, run: Run): Promise<void> {
  const { machine, keys } = lab;
  const pair = await serverPair(keys.kubernetes, [
    { type: 'dns', value: 'kubernetes' },
    { type: 'ip', value: machine.address },
  ]);
  await run(
    machine,
    'cat > /usr/local/bin/kube-apiserver; chmod 0755 /usr/local/bin/kube-apiserver',
    apiServer,
  );
  const command = [
    `/usr/local/bin/kube-apiserver --etcd-servers=https://127.0.0.1:2379 --etcd-cafile=/pki/etcd-ca.crt`,
    '--etcd-certfile=/pki/etcd.crt --etcd-keyfile=/pki/etcd.key --client-ca-file=/pki/ca.crt',
    '--tls-cert-file=/pki/api.crt --tls-private-key-file=/pki/api.key --service-account-key-file=/pki/sa.pub',
    '--service-account-signing-key-file=/pki/sa.key --service-account-issuer=https://kubernetes.default.svc',
    `--service-cluster-ip-range=10.96.0.0/12 --secure-port=${apiPort} --authorization-mode=Node,RBAC`,
    `--advertise-address=${machine.address}`,
  ].join(' ');
  await lab.ports().file.write(machine, [
    { path: '/pki/ca.crt', content: keys.kubernetes.certificate, mode: 0o644 },
    { path: '/pki/api.crt', content: pair.certificate, mode: 0o644 },
    { path: '/pki/api.key', content: pair.key, mode: 0o600 },
    { path: '/pki/sa.pub', content: keys.serviceAccount.publicKey, mode: 0o644 },
    { path: '/pki/sa.key', content: keys.serviceAccount.privateKey, mode: 0o600 },
    {
      path: '/etc/systemd/system/fake-apiserver.service',
      content: `[Service]\nExecStart=${command}\nRestart=always\nRestartSec=1\n`,
      mode: 0o644,
    },
  ]);
  await run(machine, 'systemctl daemon-reload; systemctl start fake-apiserver');
  const { kubernetes } = lab.ports();
  for (let tries = 0; tries < 120; tries += 1) {
    const version = await kubernetes.version({ masters: [machine], apiPort }, machine);
    if (version !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(
    `the API server did not come up: ${await run(machine, 'journalctl -n 20 --no-pager -u fake-apiserver -u fake-etcd')}`,
  );
}
