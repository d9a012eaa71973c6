import type { EnrolRequest } from '../../appliance/agent/protocol/enrolment.ts';
import type { PayloadListing } from '../../appliance/agent/protocol/questions.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { OperationLogs } from '../state/logs.ts';
import { Admission } from './admission.ts';
import { Applying } from './applying.ts';
import { type CertificateDoors, Certificates } from './certificates/certificates.ts';
import { CertificateWatch } from './certificates/watch.ts';
import { type BackupDoors, BackupRoom } from './backups/room.ts';
import { ClusterCredentials, type CredentialDoors } from './credentials.ts';
import { type EngineCounters, newCounters } from './counters.ts';
import { type Approval, Control } from './control.ts';
import { DayTwo, type DayTwoDoors } from './day-two.ts';
import { Deleting } from './deleting.ts';
import { Drift, type DriftDoors } from './drift.ts';
import { type EjectDoors, Ejecting } from './ejecting.ts';
import { Enrolment, type TokenRequest } from './enrolment.ts';
import type { EngineParts } from './engine-parts.ts';
import { type ImportDoors, Importing } from './importing.ts';
import type { AgentLink } from './link.ts';
import { subjectOf } from './plan-record.ts';
import { type ClusterHealthDoors, HealthRoom } from './health/room.ts';
import { type MachineDoors, MachineChanges } from './machine-changes.ts';
import { Policies, type PolicyDoors } from './policies.ts';
import { Preflight } from './preflight.ts';
import { lookAndKeep, Preparation } from './preparation.ts';
import { problems } from './problems.ts';
import { Reading } from './reading.ts';
import { type LiveItem, Recorder } from './recorder.ts';
import { Resealing, type ResealingDoors } from './resealing.ts';
import { type RestoreDoors, Restoring } from './restoring.ts';
import { Rotating, type RotationDoors } from './rotating.ts';
import { Runner } from './runner.ts';
import { SecretStore } from './secret-store.ts';
import { Sites } from './sites.ts';
import { type SweepDoors, Sweeping } from './sweeping.ts';
import { Turns, turnsOf } from './turns.ts';
import {
  Refusal,
  type ApplyRequest,
  type CredentialRequest,
  type DeleteRequest,
  type EventFilter,
  type FileRequest,
  type OperationFilter,
  type SecretRequest,
} from './requests.ts';
import type {
  AgentView,
  ApplyAnswer,
  ClusterDetail,
  ClusterView,
  Credential,
  EngineEvent,
  EngineHealth,
  EnrolmentToken,
  LogPage,
  OperationDetail,
  OperationView,
  PlanAnswer,
  PreflightAnswer,
  ProviderView,
  SecretView,
} from './answers.ts';

/**
 * The durable heart: takes requests, plans, journals, runs, resumes. Every method that changes something throws
 * {@link Refusal} when it refuses, with nothing changed; ids that do not exist are refusals of reason `not-found`.
 */
export class Engine {
  readonly counters: EngineCounters = newCounters();
  /** What is sealed, for those who seal it to a new agent. */
  readonly resealing: ResealingDoors;
  /** Tokens of people inside clusters. */
  readonly credentials: CredentialDoors;
  /** What clusters may be like. */
  readonly policies: PolicyDoors;
  /** Single machines, in and out. */
  readonly machines: MachineDoors;
  /** How clusters are between operations, and who is told when they are not well. */
  readonly clusterHealth: ClusterHealthDoors;
  /** When certificates of clusters end. */
  readonly certificates: CertificateDoors;
  /** Backups of clusters: what is there, and the schedule. */
  readonly backups: BackupDoors;
  /** The deep look. */
  readonly drift: DriftDoors;
  /** What is wanted once of a cluster that is there. */
  readonly dayTwo: DayTwoDoors;
  /** Clusters' data, back from a backup or from who is left. */
  readonly restoring: RestoreDoors;
  /** The authorities of clusters, exchanged in stages. */
  readonly rotating: RotationDoors;
  /** Clusters that are given away. */
  readonly ejecting: EjectDoors;
  /** What is at providers and belongs to no cluster of ours. */
  readonly sweeping: SweepDoors;
  /** Clusters that are there and are taken in. */
  readonly importing: ImportDoors;
  readonly #parts: EngineParts;
  readonly #recorder: Recorder;
  readonly #logs: OperationLogs;
  readonly #runner: Runner;
  readonly #preparation: Preparation;
  readonly #applying: Applying;
  readonly #deleting: Deleting;
  readonly #preflight: Preflight;
  readonly #control: Control;
  readonly #enrolment: Enrolment;
  readonly #secrets: SecretStore;
  readonly #turns = new Turns();
  readonly #health: HealthRoom;
  readonly #certificateWatch: CertificateWatch;
  readonly #sites: Sites;
  readonly #reading: Reading;
  readonly #backups: BackupRoom;
  #isStarted = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { state, clock, planners, links, ids } = parts;
    this.#recorder = new Recorder(state, clock);
    this.#logs = new OperationLogs(parts.logDirectory);
    state.journal.onBeforeCommit(() => this.#logs.sync());
    this.#reading = new Reading(state, clock, this.#logs, planners);
    this.#sites = new Sites({ links, recorder: this.#recorder, logs: this.#logs, counters: this.counters });
    const linksHeard = (site: string): AgentLink => this.#sites.link(site);
    const { recoveryRecipient } = parts;
    const recovery = recoveryRecipient === undefined ? {} : { recoveryRecipient };
    const common = { recorder: this.#recorder, planners, links: linksHeard, ids, ...recovery };
    this.#runner = new Runner({ ...common, logs: this.#logs, counters: this.counters });
    const policies = new Policies(this.#recorder);
    this.policies = policies;
    this.#preparation = new Preparation({ ...common, ...parts, links: linksHeard, policies });
    const admission = new Admission(this.#recorder, planners, this.#runner);
    this.#applying = new Applying({ ...common, policies, preparation: this.#preparation, admission });
    const refuseWhenShort = (): void => this.#refuseWhenShort();
    const inTurns = { ...common, policies, admission, turns: this.#turns, refuseWhenShort };
    this.machines = new MachineChanges({ ...inTurns, applying: this.#applying });
    this.dayTwo = new DayTwo(inTurns);
    this.restoring = new Restoring({ ...common, dayTwo: this.dayTwo });
    this.rotating = new Rotating({ ...common, dayTwo: this.dayTwo, preparation: this.#preparation });
    this.ejecting = new Ejecting({ ...common, dayTwo: this.dayTwo });
    this.importing = new Importing({ ...inTurns, preparation: this.#preparation });
    this.sweeping = new Sweeping({ ...common, admission, refuseWhenShort });
    this.#backups = new BackupRoom({ ...common, dayTwo: this.dayTwo, turns: this.#turns });
    this.backups = this.#backups.doors;
    this.drift = new Drift(common);
    this.#deleting = new Deleting({ ...common, policies, admission });
    this.#preflight = new Preflight({ ...common, preparation: this.#preparation });
    this.#control = new Control(this.#recorder, this.#runner, policies);
    this.#enrolment = new Enrolment(this.#recorder, links, this.#runner);
    this.resealing = new Resealing(this.#recorder, linksHeard, recoveryRecipient);
    this.credentials = new ClusterCredentials(
      this.#recorder,
      planners,
      (...asked) => this.#sites.ask(...asked),
      linksHeard,
    );
    this.#secrets = new SecretStore(this.#recorder, this.#preparation);
    const { health: settings } = parts;
    const ownConditions = (uid: string) => this.#backups.overdue.conditions(uid);
    this.#health = new HealthRoom({
      ...common,
      ownConditions,
      ...(settings === undefined ? {} : { settings }),
    });
    this.clusterHealth = this.#health.doors;
    const certificates = new Certificates(this.#recorder);
    this.certificates = certificates;
    this.#certificateWatch = new CertificateWatch({ ...common, certificates });
  }

  /**
   * Takes up everything that was running when the last process ended, unasked. Returns once that is under way. To be
   * called before agents may connect.
   */
  async start(): Promise<void> {
    const { agents, providers } = this.#parts.state;
    this.#isStarted = true;
    this.#sites.listen(this.#runner);
    for (const { site } of [...agents.list(), ...providers.list()]) this.#sites.link(site);
    this.#runner.start();
    this.#backups.start();
    this.#health.start();
    this.#certificateWatch.start();
  }

  /** Stops taking work, waits for what is being journalled, leaves operations as they are: the next start resumes them. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#health.stop();
    this.#certificateWatch.stop();
    this.#sites.stop();
    this.#backups.stop();
    this.#runner.stop();
    this.#parts.state.journal.flush();
    this.#logs.closeAll();
  }

  health(): EngineHealth {
    if (this.#parts.state.journal.isShort) return { isReady: false, problem: problems.noSpace() };
    return { isReady: this.#isStarted };
  }

  /** Every problem of a file, without looking at anything but the file and the store. */
  validate(text: string, file: string): { readonly problems: readonly ProblemReport[] } {
    return { problems: this.#preparation.validate(text, file).problems };
  }

  /** What `apply` would do, from a fresh observation. Starts nothing. */
  async plan(request: FileRequest): Promise<PlanAnswer> {
    return this.#inTurn(request, () => this.#applying.plan(request));
  }

  async apply(request: ApplyRequest): Promise<ApplyAnswer> {
    this.#refuseWhenShort();
    return this.#inTurn(request, () => this.#applying.apply(request));
  }

  /** Runs those checks of the file's plan that can be made now, and answers all findings at once. Changes nothing. */
  async preflight(request: FileRequest): Promise<PreflightAnswer> {
    return this.#preflight.check(request);
  }

  async planDelete(request: DeleteRequest): Promise<PlanAnswer> {
    return this.#deleting.plan(request);
  }

  async deleteCluster(request: DeleteRequest): Promise<OperationView> {
    this.#refuseWhenShort();
    return this.#turns.take([request.name], () => this.#deleting.delete(request));
  }

  /** Newest first; also of a deleted cluster when its uid is given instead of its name. */
  listOperations(filter: OperationFilter = {}): readonly OperationView[] {
    return this.#reading.operations(filter);
  }

  getOperation(id: string): OperationDetail {
    return this.#reading.operation(id);
  }

  /** Plans again and goes on: failed or cancelled operations. */
  async resumeOperation(id: string, principal: string): Promise<OperationView> {
    this.#refuseWhenShort();
    await this.#control.resume(id, principal);
    return this.getOperation(id);
  }

  /** Waits end at once, a running apply finishes; then the operation is `cancelled`. Over already = nothing to do. */
  async cancelOperation(id: string, principal: string): Promise<OperationView> {
    await this.#control.cancel(id, principal);
    return this.getOperation(id);
  }

  /** One principal's word on the plan that waits; it goes on when as many agreed as must. */
  async approveOperation(id: string, request: Approval): Promise<OperationView> {
    await this.#control.approve(id, request);
    return this.getOperation(id);
  }

  /** Lets one operation work outside its cluster's maintenance windows, to its end. */
  async overrideWindow(id: string, request: Approval): Promise<OperationView> {
    await this.#control.overrideWindow(id, request);
    return this.getOperation(id);
  }

  listClusters(): readonly ClusterView[] {
    return this.#reading.clusters().map((cluster) => this.#shown(cluster));
  }

  getCluster(name: string): ClusterDetail {
    return this.#shown(this.#reading.cluster(name));
  }

  /** Looks afresh through the agent and keeps what was seen. */
  async observe(name: string): Promise<Observed> {
    const subject = subjectOf(this.#parts.state, this.#parts.planners, this.#reading.record(name).uid);
    return lookAndKeep(this.#recorder, this.#sites.link(subject.provider.site), subject);
  }

  listProviders(): readonly ProviderView[] {
    return this.#reading.providers();
  }

  getProvider(name: string): ProviderView {
    return this.#reading.provider(name);
  }

  /** Seals the values to the sites' agents and the recovery key and keeps only that. */
  async setSecret(request: SecretRequest): Promise<SecretView> {
    return this.#secrets.set(request);
  }

  listSecrets(): readonly SecretView[] {
    return this.#secrets.list();
  }

  async removeSecret(name: string, principal: string): Promise<void> {
    await this.#secrets.remove(name, principal);
  }

  /** A short client certificate (seconds ≤ 3600) for a key that never leaves the caller. `request` is a PKCS#10 PEM. */
  async issueCredential(request: CredentialRequest): Promise<Credential> {
    return this.credentials.issue(request);
  }

  listAgents(): readonly AgentView[] {
    return this.#enrolment.list();
  }

  /** A single-use token (256 bit) for one agent of a site; only its hash is kept. */
  async createEnrolmentToken(request: TokenRequest): Promise<EnrolmentToken> {
    return this.#enrolment.createToken(request);
  }

  /**
   * Uses up the token and makes the caller the site's agent. Refuses a token that is unknown, expired or used by another
   * request alike; the very request that used it is answered again.
   */
  async enrolAgent(request: EnrolRequest): Promise<{ readonly site: string; readonly epoch: number }> {
    return this.#enrolment.enrol(request);
  }

  /** Raises the site's epoch: the old agent is refused from now on, its open attempts are given up and planned anew. */
  async replaceAgent(request: TokenRequest): Promise<EnrolmentToken> {
    return this.#enrolment.replace(request);
  }

  /** Highest report sequence that is durable for a site's epoch: what the link answers in `Welcome`. */
  acknowledgedSequence(site: string, epoch: number): number {
    return this.#reading.acknowledgedSequence(site, epoch);
  }

  /** Events after a number, oldest first, at most `limit` (default 1000). */
  events(after: number, filter: EventFilter = {}): readonly EngineEvent[] {
    return this.#reading.events(after, filter);
  }

  /** Events before a number, newest first, at most `limit` (default 1000). */
  eventsBack(before: number, filter: EventFilter = {}): readonly EngineEvent[] {
    return this.#reading.eventsBack(before, filter);
  }

  /** Log lines after a number, at most `limit` (default 1000). */
  async logLines(operation: string, after: number, limit?: number): Promise<LogPage> {
    return this.#reading.logLines(operation, after, limit);
  }

  /** Live events and log lines from now on; the answer ends it. Ask for the past first with the last number you hold. */
  subscribe(listener: (item: LiveItem) => void): () => void {
    return this.#recorder.subscribe(listener);
  }

  /** Payloads on board of a site's agent; the only site unless one is named. */
  async listPayloads(site?: string): Promise<readonly PayloadListing[]> {
    return this.#sites.ask(site ?? this.#reading.onlySite(), 'listPayloads', {});
  }

  /** A cluster with what others know of it: how it is, and when its certificates end. */
  #shown<View extends ClusterView>(view: View): View {
    return this.certificates.shownWith(this.clusterHealth.shownWith(view));
  }

  /** Requests about the same clusters go one after another. */
  #inTurn<T>(request: FileRequest, act: () => Promise<T>): Promise<T> {
    const { planners, state } = this.#parts;
    return this.#turns.take(turnsOf(request, planners, state), act);
  }

  #refuseWhenShort(): void {
    if (this.#parts.state.journal.isShort) throw new Refusal('unavailable', [problems.noSpace()]);
  }
}
