import { X509Certificate } from 'node:crypto';
import type { MachineCertificate } from '../../../provisioners/contract/ports/host.ts';

/**
 * Prints the certificates that kubeadm and the kubelet keep on a machine, each after a line with its name. Only what
 * stands between BEGIN and END CERTIFICATE is printed: some of these files hold a private key too.
 */
export const certificatesProgram = `
first() { sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p;/-----END CERTIFICATE-----/q'; }
# What else an authority's file holds is believed too.
others() { sed '1,/-----END CERTIFICATE-----/d'; }
for file in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt; do
  [ -f "$file" ] || continue
  name=\${file#/etc/kubernetes/pki/}
  echo "== \${name%.crt}"; first < "$file"
  case $name in ca.crt|etcd/ca.crt|front-proxy-ca.crt)
    also=$(others < "$file" | first)
    if [ -n "$also" ]; then echo "== \${name%.crt}/also"; printf '%s\n' "$also"; fi ;;
  esac
done
for file in /etc/kubernetes/*.conf; do
  [ -f "$file" ] || continue
  data=$(sed -n 's/^ *client-certificate-data: *//p' "$file")
  [ -n "$data" ] || continue
  echo "== \${file#/etc/kubernetes/}"; printf '%s' "$data" | base64 -d | first
done
cd /var/lib/kubelet/pki 2>/dev/null || exit 0
if [ -f kubelet-client-current.pem ]; then echo "== kubelet/client"; first < kubelet-client-current.pem; fi
if [ -f kubelet-server-current.pem ]; then echo "== kubelet/serving"; first < kubelet-server-current.pem; fi
if [ -f kubelet.crt ]; then echo "== kubelet/server"; first < kubelet.crt; fi
`;

/** Reads what {@link certificatesProgram} printed. What is no certificate is left out. */
export function parseCertificates(
  output: string,
  authorities: readonly string[] = [],
): readonly MachineCertificate[] {
  const signers = authorities.map((pem) => ({ pem, certificate: new X509Certificate(pem) }));
  return output
    .split(/^== /mu)
    .slice(1)
    .flatMap((block) => {
      const [name = '', ...lines] = block.split('\n');
      const read = readCertificate(lines.join('\n'), signers);
      return read === undefined ? [] : [{ name, ...read }];
    });
}

interface Signer {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

function readCertificate(
  pem: string,
  signers: readonly Signer[],
): Omit<MachineCertificate, 'name'> | undefined {
  try {
    const certificate = new X509Certificate(pem);
    const issuer = /^CN=(.+)$/mu.exec(certificate.issuer)?.[1];
    // Two authorities of a cluster bear one name: the signature alone tells them apart.
    const signer = signers.find((one) => certificate.verify(one.certificate.publicKey))?.pem;
    return {
      ...endAndFingerprint(certificate),
      ...(issuer === undefined ? {} : { issuer }),
      ...(signer === undefined ? {} : { signer }),
    };
  } catch {
    return undefined; // a file in the making, or none of kubeadm's
  }
}

/** When a certificate ends, and which one it is. */
export const endAndFingerprint = (certificate: X509Certificate): Omit<MachineCertificate, 'name'> => ({
  notAfter: certificate.validToDate.toISOString(),
  fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
});
