import type { AnyStep } from '../contract/step.ts';
import { machinePreflight } from './preflight/machine-preflight.ts';
import { machinesPreflight } from './preflight/machines-preflight.ts';
import { payloadPreflight } from './preflight/payload-preflight.ts';
import { addonInstall } from './steps/addon-install.ts';
import { apiServerConfigure } from './steps/api-server-configure.ts';
import { apiServerStop } from './steps/api-server-stop.ts';
import { authoritiesFollow } from './steps/authorities-follow.ts';
import { authoritiesProve } from './steps/authorities-prove.ts';
import { authoritiesPublish } from './steps/authorities-publish.ts';
import { backupFetch } from './steps/backup-fetch.ts';
import { certificatesRenew } from './steps/certificates-renew.ts';
import { claimsRelease } from './steps/claims-release.ts';
import { clusterAccessGrant } from './steps/cluster-access-grant.ts';
import { clusterReconcile } from './steps/cluster-reconcile.ts';
import { clusterVerify } from './steps/cluster-verify.ts';
import { containerdStart } from './steps/containerd-start.ts';
import { controlPlaneInit } from './steps/control-plane-init.ts';
import { controlPlaneJoin } from './steps/control-plane-join.ts';
import { controlPlaneStart } from './steps/control-plane-start.ts';
import { controlPlaneStop } from './steps/control-plane-stop.ts';
import { controlPlaneUpgrade } from './steps/control-plane-upgrade.ts';
import { controlPlaneVerify } from './steps/control-plane-verify.ts';
import { endpointConfigure } from './steps/endpoint-configure.ts';
import { etcdAuthorityInstall } from './steps/etcd-authority-install.ts';
import { etcdDataCheck } from './steps/etcd-data-check.ts';
import { etcdDataRestore } from './steps/etcd-data-restore.ts';
import { etcdDataSetAside } from './steps/etcd-data-set-aside.ts';
import { etcdEndpointsPublish } from './steps/etcd-endpoints-publish.ts';
import { etcdKubeletStart } from './steps/etcd-kubelet-start.ts';
import { etcdMemberStart } from './steps/etcd-member-start.ts';
import { etcdMemberUpgrade } from './steps/etcd-member-upgrade.ts';
import { etcdSnapshot } from './steps/etcd-snapshot.ts';
import { etcdSnapshotPrune } from './steps/etcd-snapshot-prune.ts';
import { endpointSettle } from './steps/endpoint-settle.ts';
import { endpointWithdraw } from './steps/endpoint-withdraw.ts';
import { etcdMemberRemove } from './steps/etcd-member-remove.ts';
import { hookCallWebhook } from './steps/hook-call-webhook.ts';
import { hookRunAsJob } from './steps/hook-run-as-job.ts';
import { hookRunOnMachine } from './steps/hook-run-on-machine.ts';
import { hostKeyGenerate } from './steps/host-key-generate.ts';
import { hostKeyReplace } from './steps/host-key-replace.ts';
import { infrastructurePrepare } from './steps/infrastructure-prepare.ts';
import { infrastructureRemove } from './steps/infrastructure-remove.ts';
import { kubeadmConfigUpload } from './steps/kubeadm-config-upload.ts';
import { kubeletAuthoritiesFollow } from './steps/kubelet-authorities-follow.ts';
import { kubeletClientRenew } from './steps/kubelet-client-renew.ts';
import { kubeProxyUpdate } from './steps/kube-proxy-update.ts';
import { kubeletInstall } from './steps/kubelet-install.ts';
import { kubeletRevive } from './steps/kubelet-revive.ts';
import { kubeletServingApprove } from './steps/kubelet-serving-approve.ts';
import { kubeletUpgrade } from './steps/kubelet-upgrade.ts';
import { machineConfigure } from './steps/machine-configure.ts';
import { machineCreate } from './steps/machine-create.ts';
import { machineDestroy } from './steps/machine-destroy.ts';
import { machineFence } from './steps/machine-fence.ts';
import { machineStop } from './steps/machine-stop.ts';
import { newWorkAdmit, newWorkRefuse } from './steps/new-work-refuse.ts';
import { nodeCordon } from './steps/node-cordon.ts';
import { nodeDrain } from './steps/node-drain.ts';
import { nodeLabel } from './steps/node-label.ts';
import { nodeRemove } from './steps/node-remove.ts';
import { nodeUncordon } from './steps/node-uncordon.ts';
import { nodeVerify } from './steps/node-verify.ts';
import { payloadInstall } from './steps/payload-install.ts';
import { payloadStage } from './steps/payload-stage.ts';
import { pkiInstall } from './steps/pki-install.ts';
import { providerPreflight } from './steps/provider-preflight.ts';
import { clusterTiesRemove } from './steps/cluster-ties-remove.ts';
import { machineAccessGrant } from './steps/machine-access-grant.ts';
import { machineTiesRemove } from './steps/machine-ties-remove.ts';
import { nodeMarksSet } from './steps/node-marks-set.ts';
import { providerClaim } from './steps/provider-claim.ts';
import { providerRelease } from './steps/provider-release.ts';
import { servicesRelease } from './steps/services-release.ts';
import { teardownProve } from './steps/teardown-prove.ts';
import { watchesRenew } from './steps/watches-renew.ts';
import { workerJoin } from './steps/worker-join.ts';

/** Every step there is, in the order a cluster lives through them: the table of contents of an installation. */
export const steps: readonly AnyStep[] = [
  providerPreflight,
  payloadPreflight,
  infrastructurePrepare,
  machineCreate,
  hostKeyGenerate,
  hostKeyReplace,
  machinePreflight,
  machinesPreflight,
  machineConfigure,
  payloadInstall,
  containerdStart,
  kubeletInstall,
  endpointConfigure,
  pkiInstall,
  apiServerConfigure,
  etcdKubeletStart,
  etcdAuthorityInstall,
  etcdMemberStart,
  etcdMemberUpgrade,
  controlPlaneInit,
  clusterAccessGrant,
  kubeadmConfigUpload,
  kubeProxyUpdate,
  controlPlaneJoin,
  workerJoin,
  etcdEndpointsPublish,
  nodeLabel,
  nodeVerify,
  nodeUncordon,
  nodeCordon,
  endpointWithdraw,
  nodeDrain,
  apiServerStop,
  hookRunOnMachine,
  hookRunAsJob,
  hookCallWebhook,
  etcdMemberRemove,
  machineFence,
  machineStop,
  payloadStage,
  controlPlaneUpgrade,
  kubeletUpgrade,
  addonInstall,
  kubeletServingApprove,
  kubeletRevive,
  certificatesRenew,
  authoritiesProve,
  authoritiesFollow,
  controlPlaneVerify,
  kubeletClientRenew,
  kubeletAuthoritiesFollow,
  authoritiesPublish,
  etcdSnapshot,
  etcdSnapshotPrune,
  etcdDataCheck,
  backupFetch,
  controlPlaneStop,
  etcdDataSetAside,
  etcdDataRestore,
  controlPlaneStart,
  watchesRenew,
  clusterReconcile,
  endpointSettle,
  clusterVerify,
  newWorkRefuse,
  newWorkAdmit,
  servicesRelease,
  claimsRelease,
  machineDestroy,
  nodeRemove,
  infrastructureRemove,
  teardownProve,
  machineTiesRemove,
  clusterTiesRemove,
  providerRelease,
  machineAccessGrant,
  nodeMarksSet,
  providerClaim,
];
