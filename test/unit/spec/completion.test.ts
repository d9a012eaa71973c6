import { describe, expect, it } from 'vitest';
import { chooseLabSubnet, completeCluster, labNodeNetwork } from '../../../daemon/spec/completion.ts';
import { isCluster } from '../../../daemon/spec/documents.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { knownProviders } from './corpus.ts';

function complete(spec: string, providerName = 'lab') {
  const text = `apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: east }
spec:
  provider: ${providerName}
  kubernetes: { version: "1.20.2" }
${spec}`;
  const [parsed] = parseStream(text, { file: 'a.yaml' }).documents;
  const provider = knownProviders.find((one) => one.metadata.name === providerName);
  if (!parsed || !isCluster(parsed.document) || !provider)
    throw new Error('not a cluster of a known provider');
  return completeCluster(parsed.document, provider);
}

describe('completeCluster', () => {
  it("takes the lab's addresses from its subnet: machines .11 to .250 without .100, API .100, gateway .1", () => {
    const { nodeNetwork, endpointHost, controlPlaneMachine } = complete('');
    expect(nodeNetwork).toEqual({
      ranges: ['10.77.0.11-10.77.0.99', '10.77.0.101-10.77.0.250'],
      prefix: 24,
      gateway: '10.77.0.1',
      dns: [],
      ntp: [],
    });
    expect(endpointHost).toBe('10.77.0.100');
    expect(controlPlaneMachine).toEqual({ cpus: 2, memory: 2 * 2 ** 30, disks: [] });
  });

  it('keeps what the user wrote', () => {
    const { nodeNetwork, endpointHost, workerMachines } =
      complete(`  controlPlane: { endpoint: { host: 10.77.0.9 } }
  workers: [{ name: a, replicas: 1, machine: { cpus: 3, memory: 5Gi } }]
  nodeNetwork: { ranges: [10.77.0.20-10.77.0.40], prefix: 24 }
`);
    expect(nodeNetwork?.ranges).toEqual(['10.77.0.20-10.77.0.40']);
    expect(endpointHost).toBe('10.77.0.9');
    expect(workerMachines['a']).toEqual({ cpus: 3, memory: 5 * 2 ** 30, disks: [] });
  });

  it.each([
    [2, 2, 3.75],
    [7, 2, 7.5],
    [97, 4, 15],
    [247, 8, 30],
    [497, 16, 60],
    [997, 32, 120],
  ])('sizes masters by the number of nodes (H3): %i workers → %i CPUs, %f GiB', (workers, cpus, memory) => {
    const { controlPlaneMachine } = complete(
      `  workers: [{ name: a, replicas: ${workers}, machine: { cpus: 4, memory: 8Gi } }]\n`,
      'dc1',
    );
    expect(controlPlaneMachine).toMatchObject({ cpus, memory: memory * 2 ** 30 });
  });

  it('chooses a subnet for a lab that names none, apart from those that are taken', () => {
    expect(chooseLabSubnet([])).toBe('10.77.0.0/24');
    expect(chooseLabSubnet(['10.77.0.0/24', '10.78.0.128/25'])).toBe('10.79.0.0/24');
    expect(chooseLabSubnet(['10.0.0.0/8'])).toBeUndefined();
  });

  it('works on subnets larger than a /24', () => {
    expect(labNodeNetwork('10.64.0.0/16')).toMatchObject({ prefix: 16, gateway: '10.64.0.1' });
  });
});
