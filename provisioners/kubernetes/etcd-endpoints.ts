import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ControlPlaneComponent } from '../contract/control-plane.ts';
import type { MachineRef } from '../contract/machine.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import { Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { seconds } from '../contract/time.ts';
import { paths } from './paths.ts';

/** The client URL of a member on this address (kubeadm's own port). */
export const etcdEndpoint = (address: string): string => `https://${address}:2379`;

/** The flag in kubeadm's manifest of the API server (cmd/kubeadm/app/phases/controlplane/manifests.go). */
const flag = /--etcd-servers=[^\s"']+/;

const flagFor = (endpoints: readonly string[]): string => `--etcd-servers=${endpoints.join(',')}`;

/** A manifest of the API server with these members of etcd in the place of those it names; any other text as it is. */
export const withEndpoints = (manifest: string, endpoints: readonly string[]): string =>
  manifest.replace(flag, flagFor(endpoints));

/**
 * Members of etcd that an API server is given by this manifest, where they are on other machines than its own; undefined
 * where it asks the one beside it, as kubeadm lets it (cmd/kubeadm/app/phases/controlplane/manifests.go: 127.0.0.1).
 */
export function endpointsApart(manifest: string): readonly string[] | undefined {
  const [, list = ''] = flag.exec(manifest)?.[0].split('=') ?? [];
  const urls = list.split(',').filter((url) => URL.canParse(url));
  const isOwn = (url: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
  return urls.every(isOwn) ? undefined : urls;
}

/** The API server's process, told by the members that it was given. */
const component = (endpoints: readonly string[], apiPort: number): ControlPlaneComponent => ({
  name: 'kube-apiserver',
  argument: flagFor(endpoints),
  files: [],
  port: apiPort,
});

/** Why a master's API server does not work with these members of etcd, and no others; undefined when it does. */
export async function whyNotServed(
  context: StepContext,
  master: MachineRef,
  { endpoints, access }: { readonly endpoints: readonly string[]; readonly access: ControlPlaneAccess },
): Promise<string | undefined> {
  const manifest = await context.file.read(master, paths.apiServerManifest);
  if (flag.exec(manifest ?? '')?.[0] !== flagFor(endpoints))
    return `the API server of ${master.name} is given other members of etcd`;
  const [state] = await context.host.components(master, [component(endpoints, access.apiPort)]);
  if (state?.running !== true)
    return `the API server of ${master.name} still runs with other members of etcd`;
  const version = await context.kubernetes.version(access, master);
  return version === undefined ? `the API server of ${master.name} is not ready` : undefined;
}

/** An API server starts in some ten seconds; where its kubelet is busy, in a minute. */
const patience = seconds(180);

/**
 * Gives one master's API server these members of etcd: its manifest is changed, the kubelet starts it anew, and it is
 * waited for until it answers.
 * @throws Transient when it does not answer in time
 */
export async function serveEndpoints(
  context: StepContext,
  master: MachineRef,
  wish: { readonly endpoints: readonly string[]; readonly access: ControlPlaneAccess },
): Promise<void> {
  const manifest = await context.file.read(master, paths.apiServerManifest);
  if (manifest === undefined || !flag.test(manifest))
    throw new Transient('ETCD-005', `${master.name} has no API server that could be told of etcd yet`, {
      machine: master.name,
    });
  const content = withEndpoints(manifest, wish.endpoints);
  if (content !== manifest)
    await context.file.write(master, [{ path: paths.apiServerManifest, content, mode: 0o600 }]);
  const until = Date.parse(context.now()) + patience;
  for (;;) {
    const why = await whyNotServed(context, master, wish);
    if (why === undefined) return;
    if (Date.parse(context.now()) > until)
      throw new Transient('ETCD-005', `After three minutes, ${why}`, { machine: master.name });
    await context.sleep(seconds(1));
  }
}

/** What a cluster says of its etcd apart from the masters: the planner compares it. */
const noteSchema = z.object({
  /** Digest of the members that API servers were given, and of the masters they run on. */
  served: z.string(),
  /** What each machine of etcd was made from, by name. */
  machines: z.record(z.string(), z.object({ digest: z.string(), token: z.string() })),
});
export type EtcdNote = z.infer<typeof noteSchema>;

/** Key of the mark that holds it. */
export const etcdMark = 'etcd';

/** Reads the mark; undefined where there is none that can be read. */
export function readNote(marks: Readonly<Record<string, string>> | undefined): EtcdNote | undefined {
  const text = marks?.[etcdMark];
  if (text === undefined) return undefined;
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What a note says while nobody has been told yet who etcd's members are, of machines that are as it says. */
export const unservedNote = (note: EtcdNote): string => JSON.stringify({ ...note, served: 'nobody' });

/** Digest of who serves with which members. */
export const servedDigest = (masters: readonly string[], endpoints: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([masters.toSorted(), endpoints.toSorted()]))
    .digest('hex')
    .slice(0, 16);
