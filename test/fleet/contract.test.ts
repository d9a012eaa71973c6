import { backupSuite } from '../contract/backup.ts';
import { componentSuite } from '../contract/components.ts';
import { drainSuite } from '../contract/drain.ts';
import { etcdSuite } from '../contract/etcd.ts';
import { etcdDataSuite } from '../contract/etcd-data.ts';
import { fileSuite } from '../contract/file.ts';
import { hookSuite } from '../contract/hooks.ts';
import { hostSuite } from '../contract/host.ts';
import { kubeadmSuite } from '../contract/kubeadm.ts';
import { kubernetesSuite } from '../contract/kubernetes.ts';
import { payloadSuite } from '../contract/payload.ts';
import { secretsSuite } from '../contract/secrets.ts';
import { serviceSuite } from '../contract/service.ts';
import { controlPlane, oneMachine, version, withPayload } from './bench.ts';

hostSuite('fleet', oneMachine);
fileSuite('fleet', oneMachine);
serviceSuite('fleet', oneMachine);
payloadSuite('fleet', version, oneMachine);
secretsSuite('fleet', oneMachine);
hookSuite('fleet', oneMachine);
kubeadmSuite('fleet', withPayload);
kubernetesSuite('fleet', version, () => controlPlane(['m1']));
drainSuite('fleet', () => controlPlane(['m1']));
componentSuite('fleet', () => controlPlane(['m1', 'm2', 'm3']));
etcdSuite('fleet', () => controlPlane(['m1', 'm2', 'm3']));
etcdDataSuite('fleet', async () => {
  const bench = await controlPlane(['m1']);
  const { machine } = bench;
  return {
    data: () => bench.ports().etcdData,
    machine,
    snapshot: () => bench.ports().etcd.snapshot(bench.access),
    stopEtcd: async () => {
      await bench.ports().file.remove(machine, ['/etc/kubernetes/manifests/etcd.yaml']);
    },
    stop: () => bench.stop(),
  };
});
backupSuite('fleet', async () => {
  const bench = await oneMachine();
  return {
    backup: () => bench.ports().backup,
    destination: { type: 'stateDisk' },
    stop: () => bench.stop(),
  };
});
