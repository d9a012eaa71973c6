/** Room for some thousand machines and their pods. */
const largeNetworks = `  clusterNetwork: { pods: { cidrBlocks: [10.128.0.0/11] }, services: { cidrBlocks: [10.96.0.0/12] } }
  nodeNetwork: { ranges: [10.64.1.1-10.64.20.250], prefix: 16, gateway: 10.64.0.1 }
`;

/** What webhooks are signed with. */
const hookSecret = `---
apiVersion: remuda.dev/v1alpha1
kind: Secret
metadata: { name: hooks }
stringData: { hmac: model }
`;

/** The answer file of the fault tests: machines in the embedded lab, which the fleet plays. */
export function answerFile(
  options: {
    readonly masters?: number;
    readonly workers?: number;
    readonly version?: string;
    readonly name?: string;
    /** `spec.maintenance`, as YAML on one line. */
    readonly maintenance?: string;
    /** `spec.backup`, as YAML on one line. */
    readonly backup?: string;
    /** `spec.hooks`, as YAML on one line; a webhook's secret is called `hooks`. */
    readonly hooks?: string;
    /** `spec.upgrade`, as YAML on one line. */
    readonly upgrade?: string;
    /** `spec.etcd`, as YAML on one line. */
    readonly etcd?: string;
  } = {},
): string {
  const {
    masters = 3,
    workers = 2,
    version = '1.20.2',
    name = 'demo',
    maintenance,
    backup,
    hooks,
    upgrade,
    etcd,
  } = options;
  return `apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: lab }
spec:
  type: lab
  lab: { subnet: 10.64.0.0/16 }
---
apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: ${name} }
spec:
  provider: lab
  kubernetes: { version: "${version}" }
  controlPlane: { replicas: ${masters} }
  workers: [{ name: general, replicas: ${workers} }]
${masters + workers > 200 ? largeNetworks : ''}  addons:
    network: { type: routed-bridge }
    dns: { enabled: true }
  deletion: { protected: false }
${maintenance === undefined ? '' : `  maintenance: ${maintenance}\n`}${backup === undefined ? '' : `  backup: ${backup}\n`}${etcd === undefined ? '' : `  etcd: ${etcd}\n`}${upgrade === undefined ? '' : `  upgrade: ${upgrade}\n`}${hooks === undefined ? '' : `  hooks: ${hooks}\n${hookSecret}`}`;
}
