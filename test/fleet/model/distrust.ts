import { loaded, kubeletClientPath } from './certificates.ts';
import { type ModelCluster, paths } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { isServing, type ModelMachine, startedAt } from './machine.ts';
import { podsIn } from './pods.ts';
import { clusterSigner, idsIn, idsInKubeconfig, signerIn } from './trust.ts';
import { field } from './kubernetes.ts';

const pki = '/etc/kubernetes/pki';

/** What a component of a machine works with: what its file held when it started. */
const inUse = (machine: ModelMachine, component: string, path: string): string =>
  loaded(machine, path, startedAt(machine, component));

/** Whether somebody's certificate is believed; one that does not say who signed it always is. */
const isBelieved = (ids: readonly string[] | undefined, signer: string | undefined): boolean =>
  signer === undefined || ids === undefined || ids.includes(signer);

/** Two ends that do not believe each other. */
type Quarrel = string;

function etcdQuarrels(members: readonly ModelMachine[]): Quarrel[] {
  return members.flatMap((one) => {
    const peer = signerIn(inUse(one, 'etcd', `${pki}/etcd/peer.crt`));
    return members
      .filter((other) => !isBelieved(idsIn(inUse(other, 'etcd', `${pki}/etcd/ca.crt`)), peer))
      .map((other) => `etcd of ${other.name} does not believe etcd of ${one.name}`);
  });
}

/** An API server and the etcd beside it, both ways; then its own clients on the machine. */
function masterQuarrels(machine: ModelMachine): Quarrel[] {
  const api = (path: string): string => inUse(machine, 'kube-apiserver', path);
  const served = signerIn(api(`${pki}/apiserver.crt`));
  const quarrels: (string | false)[] = [
    !isBelieved(
      idsIn(inUse(machine, 'etcd', `${pki}/etcd/ca.crt`)),
      signerIn(api(`${pki}/apiserver-etcd-client.crt`)),
    ) && `etcd of ${machine.name} does not believe its API server`,
    !isBelieved(
      idsIn(api(`${pki}/etcd/ca.crt`)),
      signerIn(inUse(machine, 'etcd', `${pki}/etcd/server.crt`)),
    ) && `the API server of ${machine.name} does not believe its etcd`,
    !isBelieved(idsIn(api(`${pki}/front-proxy-ca.crt`)), signerIn(api(`${pki}/front-proxy-client.crt`))) &&
      `the API server of ${machine.name} does not believe its own front proxy`,
  ];
  for (const name of ['kube-controller-manager', 'kube-scheduler']) {
    const text = inUse(machine, name, `/etc/kubernetes/${name.slice('kube-'.length)}.conf`);
    quarrels.push(
      !isBelieved(idsInKubeconfig(text), served) && `${name} of ${machine.name} does not believe the API`,
      !isBelieved(idsIn(api(`${pki}/ca.crt`)), signerIn(text)) &&
        `the API does not believe ${name} of ${machine.name}`,
    );
  }
  return quarrels.filter((one) => one !== false);
}

/** A kubelet speaks to any API server, and so must each with it. */
function kubeletQuarrels(machine: ModelMachine, masters: readonly ModelMachine[]): Quarrel[] {
  const since = machine.services.get('kubelet')?.since ?? 0;
  const believed = idsInKubeconfig(loaded(machine, paths.kubeletConf, since));
  const client = signerIn(machine.files.get(kubeletClientPath)?.content ?? '');
  return masters.flatMap((master) => {
    const served = signerIn(inUse(master, 'kube-apiserver', `${pki}/apiserver.crt`));
    const clients = idsIn(inUse(master, 'kube-apiserver', `${pki}/ca.crt`));
    return [
      ...(isBelieved(believed, served)
        ? []
        : [`the kubelet of ${machine.name} does not believe ${master.name}`]),
      ...(isBelieved(clients, client)
        ? []
        : [`${master.name} does not believe the kubelet of ${machine.name}`]),
    ];
  });
}

/** Pods believe what their namespace said when they started. */
function podQuarrels(fleet: Fleet, cluster: ModelCluster, masters: readonly ModelMachine[]): Quarrel[] {
  const served = masters.map((master) => signerIn(inUse(master, 'kube-apiserver', `${pki}/apiserver.crt`)));
  return podsIn(fleet, cluster).flatMap(({ metadata, spec, status }) => {
    const volumes = (field(spec, 'volumes') ?? []) as readonly object[];
    const speaks = volumes.some((one) => field(one, 'projected') !== undefined);
    const since = Date.parse(String(field(status, 'startTime') ?? ''));
    const told = cluster.published.findLast(({ at }) => at <= since) ?? cluster.published[0];
    const isLost = speaks && served.some((signer) => !isBelieved(told?.ids, signer));
    return isLost ? [`pod ${metadata.namespace ?? ''}/${metadata.name} does not believe the API`] : [];
  });
}

/** Who signs for the cluster and what pods are told: that of the first master whose controllers run. */
export function leader(cluster: ModelCluster, now: number): ModelMachine | undefined {
  return cluster
    .readyMasters(now)
    .find((machine) => startedAt(machine, 'kube-controller-manager') + 2000 * machine.slowness <= now);
}

/** Notes what pods of every namespace are told from now on. */
export function publishAuthorities(cluster: ModelCluster, now: number): void {
  const machine = leader(cluster, now);
  if (machine === undefined) return;
  const text = inUse(machine, 'kube-controller-manager', `${pki}/ca.crt`);
  if (cluster.published.at(-1)?.text !== text) cluster.published.push({ at: now, text, ids: idsIn(text) });
}

/** Records who does not believe whom, once more than one authority was seen in a cluster. Nobody may, at any moment. */
export function accuseOfDistrust(fleet: Fleet, cluster: ModelCluster, cause: string): void {
  if (!cluster.isRotating || cluster.isGoing) return;
  publishAuthorities(cluster, fleet.now);
  const all = [...cluster.machines.values()];
  const masters = cluster.readyMasters(fleet.now);
  const members = all.filter(({ name }) => cluster.etcd.byMachine(name)?.running === true);
  const nodes = all.filter(
    (machine) => isServing(machine, 'kubelet', fleet.now) && machine.files.has(paths.kubeletConf),
  );
  const quarrels = [
    ...etcdQuarrels(members),
    ...masters.flatMap(masterQuarrels),
    ...nodes.flatMap((machine) => kubeletQuarrels(machine, masters)),
    ...podQuarrels(fleet, cluster, masters),
    ...masters
      .filter(
        ({ files }) =>
          files.has(`${pki}/ca.key`) && files.has('/etc/kubernetes/manifests/kube-controller-manager.yaml'),
      )
      .filter((machine) => clusterSigner(machine) === undefined)
      .map(({ name }) => `the controller-manager of ${name} signs nothing`),
  ];
  for (const quarrel of quarrels) {
    if (cluster.quarrels.has(quarrel)) continue;
    fleet.violate('distrust', `${quarrel} (${cause})`);
  }
  cluster.quarrels = new Set(quarrels);
}
