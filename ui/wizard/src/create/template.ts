/** The answer file that a new draft begins with: small, valid, with comments that teach. */
export function newAnswerFile(facts: {
  readonly cluster: string;
  /** Name of a provider that is there already; absent = one comes with the file. */
  readonly provider?: string;
  readonly version: string;
}): string {
  const { cluster, version, provider = 'lab' } = facts;
  return `${facts.provider === undefined ? labProvider(provider) : ''}apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata:
  name: ${cluster}
spec:
  provider: ${provider}
  kubernetes:
    version: "${version}"
  controlPlane:
    replicas: 3 # an odd number: etcd needs a majority
  workers:
    - name: general
      replicas: 2
  clusterNetwork:
    pods: { cidrBlocks: [10.244.0.0/16] }
    services: { cidrBlocks: [10.96.0.0/12] }
    serviceDomain: cluster.local
  addons:
    network: { type: routed-bridge }
    dns: { enabled: true }
  deletion:
    protected: false
`;
}

const labProvider = (
  name: string,
): string => `# The embedded lab: every machine is a host of its own on the box that runs Remuda.
apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata:
  name: ${name}
spec:
  type: lab
  lab: {}
---
`;

/** The first of `cluster-1`, `cluster-2`, … that nobody has. */
export function freeName(taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) if (!taken.has(`cluster-${number}`)) return `cluster-${number}`;
}

/** Versions of Kubernetes there are payloads of, newest first, without the `v`. */
export function versionsOnBoard(
  payloads: readonly { readonly kubernetesVersion: string }[],
): readonly string[] {
  const versions = new Set(payloads.map(({ kubernetesVersion }) => kubernetesVersion.replace(/^v/, '')));
  return [...versions].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}
