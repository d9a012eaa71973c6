import type { Role } from '../../../daemon/access/principals.ts';
import type { ClusterDetail } from '../../../daemon/operations/answers.ts';
import { fakeOperation } from './fake-engine.ts';
import type { FakeSite } from './fake-site.ts';

const at = '2026-11-21T05:00:00.000Z';
const hash = `sha256:${'0'.repeat(64)}`;

/** Makes a cluster known to state and fake engine, with one operation `op-<name>`. */
export function addFakeCluster(site: FakeSite, name: string): void {
  const { state, engine } = site;
  state.providers.put({
    name: 'lab',
    type: 'lab',
    site: 'local',
    destination: 'lab',
    document: {},
    principal: 'token:admin',
    updatedAt: at,
  });
  const uid = `u-${name}`;
  state.clusters.add({
    uid,
    name,
    provider: 'lab',
    keys: {
      sealed: 'fake',
      public: { caHash: hash, caCertificate: 'fake CA', sshPublicKey: 'ssh-ed25519 fake' },
    },
    createdAt: at,
  });
  const detail: ClusterDetail = {
    uid,
    name,
    provider: 'lab',
    phase: 'Ready',
    revision: 1,
    digest: hash,
    createdAt: at,
    desired: {
      spec: {
        kubernetes: { version: '1.20.2' },
        controlPlane: { endpoint: { host: '10.77.0.100', port: 6443 } },
      },
    },
    yaml: '',
    text: '',
  };
  engine.clusters.set(name, detail);
  engine.operations.set(`op-${name}`, fakeOperation({ id: `op-${name}`, cluster: { uid, name } }));
}

/** A role in a cluster, as if an administrator had given it. */
export function grantRole(site: FakeSite, principal: string, cluster: string, role: Role): void {
  site.state.grants.put({
    id: `${principal}-${cluster}`,
    cluster: `u-${cluster}`,
    principal,
    role,
    grantedBy: 'token:admin',
    at,
  });
}
