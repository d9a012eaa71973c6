import ssh2 from 'ssh2';

/** Both halves of an SSH key in OpenSSH form. */
export interface SshKeyPair {
  readonly public: string;
  readonly private: string;
}

/**
 * A fresh ed25519 key. ssh2 (1.17, lib/keygen.js) cuts leading zero bytes off the public point, which spoils one key
 * in 256: neither OpenSSH nor ssh2 itself can read such a key. So each is read back, and drawn again if it must be.
 */
export function generateSshKey(comment: string): SshKeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
