/**
 * What there is to say of a cluster's certificates: one rule for lists, warnings and health. It is Kubernetes' knowledge,
 * so it stands with the steps; here is where the daemon takes it from.
 */
export {
  type CertificateInventory,
  certificateInventory,
  certificateLevels,
  certificateThresholds,
  type InventoriedCertificate,
} from '../../provisioners/kubernetes/certificate-inventory.ts';
