import { expect, test } from 'vitest';
import { certificatesText } from '../../../daemon/cli/certificates.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const on = (machine: string, name: string, notAfter: string) => ({ machine, name, notAfter });

test('complaint 13: the certificate that ends first is named, with its day; authorities apart (milestone A: shown)', () => {
  const text = certificatesText(
    [
      on('cp-1', 'apiserver', '2027-11-21T12:00:00Z'),
      on('cp-2', 'etcd/server', '2027-02-19T12:00:00Z'),
      on('cp-1', 'etcd/ca', '2036-11-18T12:00:00Z'),
      on('cp-1', 'front-proxy-ca', '2036-11-18T12:00:00Z'),
    ],
    now,
  );
  expect(text).toMatch(/^the first ends in 90 days \(.*2027.*\): etcd\/server on cp-2; the authorities in /u);
});

test('one that has ended is said so; with none seen nothing is said', () => {
  expect(certificatesText([on('cp-1', 'apiserver', '2026-11-18T12:00:00Z')], now)).toMatch(
    /^the first ended 3 days ago \(.*\): apiserver on cp-1$/u,
  );
  expect(certificatesText([], now)).toBe('');
});
