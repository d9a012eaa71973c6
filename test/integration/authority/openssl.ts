import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How OpenSSL is to make a certificate. */
export interface Wish {
  readonly name: string;
  /** Who signs; itself when absent. */
  readonly by?: string;
  /** Sections of an extension file (x509v3_config). */
  readonly extensions: readonly string[];
  readonly days?: number;
  readonly key?: 'ec' | 'rsa';
}

const authority = (pathlen?: number): string =>
  `basicConstraints=critical,CA:TRUE${pathlen === undefined ? '' : `,pathlen:${pathlen}`}`;
const mayCertify = 'keyUsage=critical,keyCertSign,cRLSign';

/** Extensions of an authority that may have so many below it. */
export const authorityExtensions = (pathlen?: number): string[] => [authority(pathlen), mayCertify];

/** A real certificate authority in a folder, kept with OpenSSL's own commands: somebody else's, as far as Remuda knows. */
export class OpenSsl {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-openssl-'));
  #serial = 1;

  run(...words: readonly string[]): string {
    return execFileSync('openssl', words, {
      cwd: this.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Key, request and certificate of a name: NAME.key, NAME.csr, NAME.crt. */
  make({ name, by, extensions, days = 3650, key = 'ec' }: Wish): void {
    const kind = key === 'ec' ? ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['RSA'];
    this.run('genpkey', '-algorithm', ...kind, '-out', `${name}.key`);
    this.run('req', '-new', '-key', `${name}.key`, '-subj', `/O=Example/CN=${name}`, '-out', `${name}.csr`);
    this.sign(`${name}.csr`, `${name}.crt`, { by: by ?? name, isOwn: by === undefined, extensions, days });
  }

  /** Signs a request. @throws Error with what OpenSSL says */
  sign(
    request: string,
    certificate: string,
    how: {
      readonly by: string;
      readonly isOwn?: boolean;
      readonly extensions: readonly string[];
      readonly days?: number;
    },
  ): void {
    this.write('extensions', `${how.extensions.join('\n')}\n`);
    const signer =
      how.isOwn === true
        ? ['-signkey', `${how.by}.key`]
        : ['-CA', `${how.by}.crt`, '-CAkey', `${how.by}.key`, '-set_serial', String((this.#serial += 1))];
    const files = ['-req', '-in', request, '-out', certificate, '-extfile', 'extensions'];
    this.run('x509', ...files, '-days', String(how.days ?? 3650), ...signer);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8');
  }

  write(file: string, content: string): string {
    writeFileSync(join(this.folder, file), content, { mode: 0o600 });
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
