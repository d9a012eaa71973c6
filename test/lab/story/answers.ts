/** What a story's answer file may differ in. */
interface Answers {
  readonly name: string;
  readonly subnet: string;
  readonly masters: number;
  readonly workers: number;
  /** `spec.upgrade`, as YAML on one line. */
  readonly upgrade?: string;
  /** Machines of etcd alone; masters have members when absent. */
  readonly etcd?: number;
  /** Value of a `kind: Secret` document. */
  readonly secret?: string;
}

/** An answer file for the lab. */
export const answerFile = ({ name, subnet, masters, workers, etcd, secret, upgrade }: Answers): string => `
apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: ${name} }
spec: { type: lab, lab: { subnet: ${subnet} } }
---
apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: ${name} }
spec:
  provider: ${name}
  kubernetes: { version: "1.20.2" }
  controlPlane: { replicas: ${masters} }${
    etcd === undefined
      ? ''
      : `
  etcd: { topology: external, replicas: ${etcd} }`
  }
  workers: [{ name: general, replicas: ${workers} }]
  clusterNetwork:
    pods: { cidrBlocks: [10.244.0.0/16] }
    services: { cidrBlocks: [10.96.0.0/12] }
    serviceDomain: cluster.local
  addons:
    network: { type: routed-bridge }
    dns: { enabled: true }
  deletion: { protected: false }${
    upgrade === undefined
      ? ''
      : `
  upgrade: ${upgrade}`
  }
${
  secret === undefined
    ? ''
    : `---
apiVersion: remuda.dev/v1alpha1
kind: Secret
metadata: { name: ${name}-canary }
stringData: { password: "${secret}" }
`
}`;
