import type { HookMessage, HookRun, HookScript } from '../../../provisioners/contract/hooks.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import { changing, connect, connectToChange, reading } from './call.ts';
import type { Caller, Fleet } from './fleet.ts';
import { field, textMap } from './kubernetes.ts';
import type { ModelMachine } from './machine.ts';

/** A script of a hook on a machine of the model: it ends by its clock, whoever looks. */
export interface ModelHookRun {
  readonly owner: string;
  readonly attempt: number;
  readonly hook: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly startedAt: number;
  readonly endsAt: number;
  readonly exitCode: number;
  readonly isTimedOut: boolean;
}

/** How long a script or a Job of the model works, ms. */
const works = 4000;

const ownerOf = (by: Caller): string => `${by.operation}/${by.step}`;

const runsOf = (machine: ModelMachine): ModelHookRun[] => {
  machine.hookRuns ??= [];
  return machine.hookRuns;
};

/** A machine that lost its power has cut its scripts off. */
function stateOf(fleet: Fleet, machine: ModelMachine, run: ModelHookRun | undefined): HookRun {
  if (run === undefined) return { state: 'absent' };
  const { attempt, exitCode, isTimedOut, hook } = run;
  const since = new Date(run.startedAt).toISOString();
  if (machine.bootedAt > run.startedAt && machine.bootedAt < run.endsAt)
    return { state: 'ended', attempt, exitCode: 255, isTimedOut: false, lastLines: ['it was cut off'] };
  if (fleet.now < run.endsAt) return { state: 'running', attempt, since, lastLine: `${hook} works` };
  const last = isTimedOut ? 'remuda: stopped after its timeout' : `${hook} says ${exitCode}`;
  return { state: 'ended', attempt, exitCode, isTimedOut, lastLines: [`${hook} works`, last] };
}

const newest = (machine: ModelMachine, by: Caller): ModelHookRun | undefined =>
  runsOf(machine).findLast(({ owner }) => owner === ownerOf(by));

/** HookPort's primitives. */
export const hookCalls = {
  'hook.look': reading(40, (fleet, { machine: reference }: { readonly machine: MachineRef }, by): HookRun => {
    const machine = connect(fleet, reference);
    return stateOf(fleet, machine, newest(machine, by));
  }),
  'hook.start': changing(
    60,
    (fleet, given: { readonly machine: MachineRef; readonly script: HookScript }, by) => {
      const machine = connectToChange(fleet, given.machine, by);
      const { hook, environment, timeout } = given.script;
      if (stateOf(fleet, machine, newest(machine, by)).state === 'running') return null;
      const hangs = fleet.faults.of('hook-hangs').some((fault) => fault.hook === hook);
      const exitCode = !hangs && fleet.faults.strikesHook(hook) ? 3 : 0;
      const isTimedOut = hangs || timeout < works;
      runsOf(machine).push({
        owner: ownerOf(by),
        attempt: by.attempt,
        hook,
        environment,
        startedAt: fleet.now,
        endsAt: fleet.now + (isTimedOut ? timeout : works),
        exitCode: isTimedOut ? 124 : exitCode,
        isTimedOut,
      });
      fleet.births.push(`hook ${hook} ${machine.name}`);
      fleet.hookLog.push({ hook, machine: machine.name, at: environment['REMUDA_AT'] ?? '' });
      fleet.changed('hook.start', machine.name, by);
      return null;
    },
  ),
  'hook.send': changing(80, (fleet, { message }: { readonly message: HookMessage }, by) => {
    const { id, body } = message;
    const { data } = JSON.parse(body) as { data: { hook: string; at: string; machine?: string } };
    if (fleet.faults.of('hook-hangs').some(({ hook }) => hook === data.hook))
      throw new Transient('OUTGOING-003', 'hooks.example cannot be reached: it does not answer in time.');
    if (fleet.faults.strikesHook(data.hook))
      throw new Transient('HOOK-004', 'The webhook answered with status 503.');
    const count = fleet.messages.get(id) ?? 0;
    fleet.messages.set(id, count + 1);
    if (count === 0) {
      fleet.births.push(`hook ${data.hook} called ${data.machine ?? ''}`);
      fleet.hookLog.push({ hook: data.hook, at: data.at, machine: data.machine ?? '' });
    }
    fleet.changed('hook.send', data.hook, by);
    return null;
  }),
};

/** A Job as the model's controller tells of it: its one pod works for a while, and a fault may have failed it. */
export function withJobStatus(fleet: Fleet, job: KubernetesObject): KubernetesObject {
  const created = Date.parse(String(field(job, 'metadata', 'creationTimestamp')));
  const hook = textMap(job, 'metadata', 'labels')['remuda.dev/hook'] ?? '';
  const deadline = Number(field(job, 'spec', 'activeDeadlineSeconds') ?? 3600) * 1000;
  const hangs = fleet.faults.of('hook-hangs').some((fault) => fault.hook === hook);
  const failed = fleet.failedJobs.has(job.metadata.name);
  const endsAt = created + (hangs ? deadline : works);
  if (fleet.now < endsAt) return { ...job, status: { active: 1 } };
  if (!hangs && !failed) return { ...job, status: { succeeded: 1 } };
  const reason = hangs ? 'DeadlineExceeded' : 'BackoffLimitExceeded';
  return { ...job, status: { failed: 1, conditions: [{ type: 'Failed', status: 'True', reason }] } };
}

/** What the model notes when a Job is made: whether a fault will fail it. */
export function noteJob(fleet: Fleet, job: KubernetesObject): void {
  const { 'remuda.dev/hook': hook } = textMap(job, 'metadata', 'labels');
  if (hook === undefined) return;
  const env = (field(job, 'spec', 'template', 'spec', 'containers') as readonly { env: Variable[] }[]).at(0);
  const of = (name: string): string => env?.env.find((one) => one.name === name)?.value ?? '';
  if (fleet.faults.strikesHook(hook)) fleet.failedJobs.add(job.metadata.name);
  fleet.births.push(`hook ${hook} job ${of('REMUDA_MACHINE')}`);
  fleet.hookLog.push({ hook, at: of('REMUDA_AT'), machine: of('REMUDA_MACHINE') });
}

interface Variable {
  readonly name: string;
  readonly value: string;
}
