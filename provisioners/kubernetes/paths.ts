/** Where things lie on a machine. Kubernetes' own paths are kubeadm's. */
export const paths = {
  /** Uid of the cluster the machine was prepared for: whose it is ({@link import('../contract/preflight.ts').HostFacts}). */
  owner: '/var/lib/remuda/cluster',
  /** What a node image declares about its ground. */
  declaration: '/etc/remuda/machine.json',
  /** Digests of the configurations that services were last started with, a file each. */
  applied: '/var/lib/remuda/applied',
  /** kubeadm's own configuration: written before a run, removed after it, because it names the bootstrap token. */
  kubeadmConfig: '/etc/kubernetes/remuda/kubeadm.yaml',
  /** kubeadm's configuration for renewals: names no secret, and may stay. */
  renewal: '/etc/kubernetes/remuda/renewal.yaml',
  /** kubeadm's configuration for etcd apart from the masters: names no secret, and may stay. */
  etcdConfig: '/etc/kubernetes/remuda/etcd.yaml',
  discovery: '/etc/kubernetes/remuda/discovery.yaml',
  patches: '/etc/kubernetes/remuda/patches',
  auditPolicy: '/etc/kubernetes/remuda/audit-policy.yaml',
  encryption: '/etc/kubernetes/remuda/encryption.yaml',
  admission: '/etc/kubernetes/remuda/admission.yaml',
  authentication: '/etc/kubernetes/remuda/authentication.yaml',
  auditLogs: '/var/log/kubernetes/audit',
  pki: '/etc/kubernetes/pki',
  /** The cluster's authority and those above it, where it did not sign itself. */
  authorityChain: '/etc/kubernetes/pki/ca-chain.crt',
  /**
   * The one certificate that the controller-manager signs with: its flag takes a file of exactly one
   * (pkg/controller/certificates/signer: ca_provider.go), and ca.crt may hold two.
   */
  signingCertificate: '/etc/kubernetes/pki/signing/ca.crt',
  kubeletKubeconfig: '/etc/kubernetes/kubelet.conf',
  bootstrapKubeconfig: '/etc/kubernetes/bootstrap-kubelet.conf',
  kubeletConfig: '/var/lib/kubelet/config.yaml',
  /** What the kubelet serves with where it asks the cluster for it (client-go, util/certificate: file store). */
  kubeletServing: '/var/lib/kubelet/pki/kubelet-server-current.pem',
  /** With what the kubelet speaks to the API: a link to the newest (client-go, util/certificate: file store). */
  kubeletClient: '/var/lib/kubelet/pki/kubelet-client-current.pem',
  apiServerManifest: '/etc/kubernetes/manifests/kube-apiserver.yaml',
  etcdManifest: '/etc/kubernetes/manifests/etcd.yaml',
  etcdData: '/var/lib/etcd/member',
  containerdConfig: '/etc/containerd/config.toml',
  containerdUnit: '/etc/systemd/system/containerd.service',
  kubeletUnit: '/etc/systemd/system/kubelet.service',
  kubeletDropIn: '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
  /** Read after kubeadm's own, and in its place: a kubelet that belongs to no cluster and runs static pods only. */
  aloneDropIn: '/etc/systemd/system/kubelet.service.d/20-remuda-alone.conf',
  haproxy: '/etc/haproxy/haproxy.cfg',
  keepalived: '/etc/keepalived/keepalived.conf',
} as const;

/** Manifest of a static pod, where kubeadm puts it. */
export const manifestOf = (component: string): string => `/etc/kubernetes/manifests/${component}.yaml`;
