/** The answer file of the fault tests: machines in the embedded lab, which the fleet plays. */
export function answerFile(
  options: {
    readonly masters?: number;
    readonly workers?: number;
    readonly version?: string;
    readonly name?: string;
  } = {},
): string {
  const { masters = 3, workers = 2, version = '1.20.2', name = 'demo' } = options;
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
  addons:
    network: { type: routed-bridge }
    dns: { enabled: true }
  deletion: { protected: false }
`;
}
