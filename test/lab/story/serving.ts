import { connect } from 'node:tls';

/**
 * Who a kubelet is by its own certificate: the alternative names it shows on its port, when it is signed by this
 * authority and good for the address that was asked.
 * @throws Error of TLS when it is not believed
 */
export const servedNames = (address: string, authority: string): Promise<string> =>
  new Promise((done, reject) => {
    // Name checks are Node's own: an address must stand among the certificate's (checkServerIdentity).
    const socket = connect({ host: address, port: 10_250, ca: authority, timeout: 10_000 }, () => {
      const { subjectaltname = '' } = socket.getPeerCertificate();
      socket.destroy();
      done(subjectaltname);
    });
    socket.once('timeout', () => socket.destroy(new Error(`the kubelet at ${address} does not answer`)));
    socket.once('error', reject);
  });
