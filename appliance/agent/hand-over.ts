import { dump } from 'js-yaml';
import { trustedCertificates } from '../../provisioners/contract/secrets.ts';
import { mintBreakGlass } from './pki.ts';
import type { AgentOutgoing } from './protocol/outgoing.ts';
import { questionWork } from './questions.ts';
import { seal } from './sealing.ts';
import type { PortsFactory } from './work.ts';

/** What answering needs. */
export interface HandOverParts {
  readonly ports: PortsFactory;
  readonly epoch: number;
  /** Default: age. A simulation seals nothing. */
  readonly seal?: typeof seal;
  /** Default: by the real authority. */
  readonly mint?: typeof mintBreakGlass;
}

/** How long the certificate in the handed-over kubeconfig lives: as kubeadm's own admin.conf, days. */
const days = 365;

/** The cluster's keys for whoever is to keep it from now on, sealed to them alone. Nothing of it is kept or logged. */
export function createHandOverQuestions(parts: HandOverParts): Pick<AgentOutgoing, 'cluster.hand-over'> {
  return {
    async 'cluster.hand-over'({ context, recipient, endpoint, receipt }) {
      const keys = await parts.ports(questionWork(parts, context)).secrets.clusterKeys();
      const { name } = context.cluster;
      const client = await (parts.mint ?? mintBreakGlass)(keys.kubernetes, {
        commonName: `${name}-admin`,
        days,
      });
      const encode = (text: string): string => Buffer.from(text).toString('base64');
      const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
      const user = `${name}-admin`;
      const kubeconfig = dump({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [
          {
            name,
            cluster: {
              server: `https://${host}:${endpoint.port}`,
              'certificate-authority-data': encode(trustedCertificates(keys.kubernetes)),
            },
          },
        ],
        users: [
          {
            name: user,
            user: {
              'client-certificate-data': encode(client.certificate),
              'client-key-data': encode(client.key),
            },
          },
        ],
        contexts: [{ name, context: { cluster: name, user } }],
        'current-context': name,
      });
      const sealed = await (parts.seal ?? seal)([recipient], JSON.stringify({ receipt, keys, kubeconfig }));
      return { sealed, kubeconfigEnds: client.notAfter };
    },
  };
}
