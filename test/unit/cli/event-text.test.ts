import { expect, test } from 'vitest';
import { eventDataText } from '../../../daemon/cli/event-text.ts';

test.each([
  [{ title: 'Join w-1', phase: 'workers', subject: 'w-1', attempt: 1 }, 'Join w-1'],
  [{ title: 'Join w-1', phase: 'workers', subject: 'w-1', attempt: 3 }, 'Join w-1; attempt 3'],
  [{ attempt: 1, state: 'succeeded', changed: true }, 'succeeded'],
  [{ attempt: 1, state: 'succeeded', changed: false }, 'succeeded, it was so already'],
  [
    { what: 'the Node', lastSeen: 'no CNI yet', since: 'x' },
    'waits for the Node; last seen: no CNI yet; since: x',
  ],
  [{ done: 2, total: 3, what: 'nodes answered' }, '2 of 3 nodes answered'],
  [
    { state: 'failed', problem: { code: 'HOST-CPU', summary: 'one CPU' } },
    'failed; problem: HOST-CPU: one CPU',
  ],
  [{ for: 'approval', toApprove: ['w-1', 'w-2'] }, 'for: approval; toApprove: w-1 w-2'],
  [{}, ''],
  [null, ''],
  [{ text: 'a\u001b[31mb\nc' }, 'text: ab ⏎ c'],
])('K10: what an event carries reads as words: %j', (data, text) => {
  expect(eventDataText(data)).toBe(text);
});

test('a long one is clipped, and shows that it is', () => {
  expect(eventDataText({ note: 'x'.repeat(300) }, 20)).toBe(`note: ${'x'.repeat(13)}…`);
});
