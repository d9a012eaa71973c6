import { isVirtualAddress } from '../../provisioners/kubernetes/endpoint-config.ts';
import type { ClusterDocument } from '../spec/documents.ts';

/**
 * Port of each master's own API server. Where the endpoint is an address that Remuda holds, haproxy has the endpoint's
 * port on the same machine and the API server the next one; behind somebody else's balancer it is the endpoint's own.
 */
export function apiPortOf(document: ClusterDocument): number {
  const { host, port } = document.spec.controlPlane.endpoint;
  if (host !== undefined && !isVirtualAddress(host)) return port;
  return port === 65_535 ? port - 1 : port + 1;
}
