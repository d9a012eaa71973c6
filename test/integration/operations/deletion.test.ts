import { afterEach, expect, test } from 'vitest';
import { answerFile } from '../../faults/answer-file.ts';
import { World } from '../../faults/harness.ts';

let world: World | undefined;
afterEach(() => {
  world?.close();
  world = undefined;
});

test('a deletion does each step once and proves by name all that it removed (C1, DESIGN §6)', async () => {
  const opened = new World();
  world = opened;
  await opened.open();
  const text = answerFile({ masters: 1, workers: 2 });
  expect(await opened.run(opened.apply(text, 'make'))).toMatchObject({ state: 'succeeded' });
  const { id, state, planNumber } = await opened.run(opened.remove('demo', 'unmake'));
  expect([state, planNumber]).toEqual(['succeeded', 1]);
  const { stepList } = await opened.run(opened.request((engine) => engine.getOperation(id)));
  expect(stepList.map(({ id: step, attempt }) => [step, attempt])).toEqual(
    stepList.map(({ id: step }) => [step, 1]),
  );
  // Once its machine is gone, nothing else tells what it was.
  const removed = stepList.filter(({ kind }) => kind === 'machine.destroy');
  expect(Object.fromEntries(removed.map(({ subject, role }) => [subject, role]))).toEqual({
    'demo-cp-1': 'control-plane',
    'demo-general-1': 'worker',
    'demo-general-2': 'worker',
  });
  const proof = stepList.find(({ kind }) => kind === 'teardown.prove')?.facts as {
    readonly gone: readonly { readonly name: string }[];
  };
  expect(proof).toMatchObject({ kept: [], left: [] });
  expect(proof.gone.map(({ name }) => name).toSorted()).toEqual([
    'demo-cp-1',
    'demo-general-1',
    'demo-general-2',
  ]);
});
