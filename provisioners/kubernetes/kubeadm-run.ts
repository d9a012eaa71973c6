import type { MachineRef } from '../contract/machine.ts';
import type { FileContent } from '../contract/ports/file.ts';
import type { KubeadmCommand } from '../contract/ports/kubeadm.ts';
import type { Observation, StepContext } from '../contract/step.ts';
import { seconds } from '../contract/time.ts';
import { paths } from './paths.ts';

/** A kubeadm command that is under way on the machine, whoever started it: look again, never start a second. */
export async function pendingKubeadm(
  context: StepContext,
  machine: MachineRef,
  verb: KubeadmCommand['verb'],
): Promise<Extract<Observation<never>, { state: 'pending' }> | undefined> {
  const run = await context.kubeadm.observe(machine, verb);
  if (run.state !== 'running') return undefined;
  const what = `kubeadm ${verb} on ${machine.name} to end`;
  const lastSeen = run.lastLine === '' ? 'it has printed nothing yet' : run.lastLine;
  return { state: 'pending', what, lastSeen, since: run.since, usually: seconds(60) };
}

/**
 * Runs kubeadm with its files laid out just before, and removes those that name the bootstrap token once it has
 * ended well. After a failure they stay for the next try, for root alone.
 */
export async function runKubeadm(
  context: StepContext,
  machine: MachineRef,
  command: KubeadmCommand,
  files: readonly FileContent[],
  whileRunning?: () => Promise<void>,
): Promise<void> {
  await context.file.write(machine, files);
  await context.kubeadm.run(machine, command, whileRunning);
  await context.file.remove(machine, tokenFiles);
}

/** Files that name the bootstrap token. */
const tokenFiles: readonly string[] = [paths.kubeadmConfig, paths.discovery];

/**
 * What a step that found kubeadm's work done may still find: nobody was there when kubeadm ended (the agent was
 * killed), so the files that name the bootstrap token are still on the machine. Undefined when they are not.
 */
export async function leftTokenFiles(
  context: StepContext,
  machine: MachineRef,
): Promise<Extract<Observation<never>, { state: 'broken' }> | undefined> {
  const left = await context.file.exist(machine, tokenFiles);
  if (left.size === 0) return undefined;
  return { state: 'broken', why: `files that name the bootstrap token are still on ${machine.name}` };
}

/** Removes them. */
export const removeTokenFiles = (context: StepContext, machine: MachineRef): Promise<void> =>
  context.file.remove(machine, tokenFiles);
