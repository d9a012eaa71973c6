import { expect, test } from 'vitest';
import { hooksOf } from '../../../ui/wizard/src/plan/plan-hooks.ts';

const step = (kind: string, subject: string, input: object) => ({
  id: `${kind}/${subject}`,
  kind,
  version: 1,
  phase: 'removal' as const,
  subject,
  title: '',
  after: [],
  destructive: false,
  input,
});
const occasion = (hook: string, machine: string) => ({ hook, at: 'beforeDrain', reason: 'update', machine });

test('the review shows each hook once, with its whole text (V10)', () => {
  const script = 'systemctl stop x\nsync\n';
  const steps = [
    step('node.drain', 'w1', { node: 'w1' }),
    step('hook.run-on-machine', 'w1', { occasion: occasion('flush', 'w1'), onFailure: 'stop', script }),
    step('hook.run-on-machine', 'w2', { occasion: occasion('flush', 'w2'), onFailure: 'stop', script }),
    step('hook.run-as-job', 'w1', {
      occasion: occasion('smoke', 'w1'),
      onFailure: 'continue',
      image: 'smoke:3',
      command: ['/bin/smoke', '-q'],
    }),
    step('hook.call-webhook', 'cluster', {
      occasion: occasion('tell', 'w1'),
      onFailure: 'stop',
      url: 'https://hooks.example/x',
    }),
  ];
  expect(hooksOf({ steps })).toEqual([
    { name: 'flush', at: 'beforeDrain', way: 'script', text: script, stops: true },
    { name: 'smoke', at: 'beforeDrain', way: 'job', text: 'smoke:3: "/bin/smoke" "-q"', stops: false },
    { name: 'tell', at: 'beforeDrain', way: 'webhook', text: 'POST https://hooks.example/x', stops: true },
  ]);
});
