import { expect, it } from 'vitest';
import { answerFilePlanners } from '../../../daemon/operations/answer-file.ts';
import { secretUses } from '../../../daemon/spec/rules/sources.ts';

const ec2 = (endpoint?: string) => ({
  apiVersion: 'remuda.dev/v1alpha1' as const,
  kind: 'Provider' as const,
  metadata: { name: 'cloud', labels: {} },
  spec: {
    type: 'ec2' as const,
    ec2: {
      region: 'eu-central-1',
      zones: [],
      credentials: { secretRef: 'keys' },
      ...(endpoint === undefined ? {} : { endpoint }),
    },
  },
});

it.each([
  [undefined, 'ec2:eu-central-1'],
  ['ec2.example', 'ec2.example'],
])(
  'a secret of ec2 is bound to the same destination by the file and by the engine: %s',
  (endpoint, wanted) => {
    const document = ec2(endpoint);
    const [use] = secretUses(document);
    expect(use?.destination).toBe(wanted);
    expect(answerFilePlanners.readProvider(document).destination).toBe(wanted);
  },
);
