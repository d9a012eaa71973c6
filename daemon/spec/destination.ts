import type { ProviderDocument } from './documents.ts';

/** The server a provider sends its secrets to: what they are bound to. Undefined where it names no such server. */
export function secretDestination({ spec }: Pick<ProviderDocument, 'spec'>): string | undefined {
  if (spec.vsphere) return spec.vsphere.server;
  return spec.ec2 && (spec.ec2.endpoint ?? `ec2:${spec.ec2.region}`);
}
