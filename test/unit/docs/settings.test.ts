import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { auditReceiverSchema } from '../../../daemon/access/audit-receiver.ts';
import { directorySettingsSchema } from '../../../daemon/access/directory-settings.ts';
import { alertReceiverSchema } from '../../../daemon/operations/health/alert-receiver.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { root } from './markdown.ts';

/** The YAML blocks of a page of the manual. */
const blocksOf = (page: string): string[] =>
  [...readFileSync(join(root, 'ui/docs', page), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
    (match) => match[1] ?? '',
  );

/** As the command does: the file beside it becomes the certificate. */
function settingsIn(text: string): unknown {
  const { authorityFile, ...rest } = load(text) as Record<string, unknown>;
  return authorityFile === undefined ? rest : { ...rest, authority: '-----BEGIN CERTIFICATE-----' };
}

describe('what the manual shows can be used as it stands (K10)', () => {
  test('policies', () => {
    const found = blocksOf('policies.md').map((text) => parseStream(text, { file: 'policies.md' }));
    expect(found.map(({ problems, policies }) => [problems, policies.length])).toEqual([
      [[], 1],
      [[], 1],
    ]);
  });

  test('directories', () => {
    const found = blocksOf('directory.md').map(
      (text) => directorySettingsSchema.safeParse(settingsIn(text)).error,
    );
    expect(found).toEqual([undefined]);
  });

  test('receivers of the audit trail', () => {
    const found = blocksOf('audit.md').map((text) => auditReceiverSchema.safeParse(settingsIn(text)).error);
    expect(found).toEqual([undefined, undefined]);
  });

  test('receivers of alerts', () => {
    const found = blocksOf('health.md').map((text) => alertReceiverSchema.safeParse(settingsIn(text)).error);
    expect(found).toEqual([undefined]);
  });
});
