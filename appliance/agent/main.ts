/** The agent's composition root: the one place where its parts are wired together. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import pino from 'pino';
import { Problem, reportOf, UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderType } from '../../provisioners/contract/provider.ts';
import { labConfigSchema, LabProvider, labSettings } from '../../provisioners/infrastructure/lab/provider.ts';
import { steps } from '../../provisioners/kubernetes/steps.ts';
import { payloadCache } from '../../provisioners/payload/cache.ts';
import { localTrust } from '../../provisioners/payload/signature.ts';
import { startAgent } from './agent.ts';
import { systemClock } from './clock.ts';
import { PayloadSupply } from './payload-supply.ts';
import type { ProviderFactory } from './ports.ts';

const command = new Command('remuda-agent')
  .description('The site agent of Remuda: runs the steps that the daemon decides.')
  .requiredOption('--state <folder>', 'identity, certificate and attempts; readable by its owner only')
  .option('--cache <folder>', 'payloads (default: $REMUDA_CACHE, else /var/cache/remuda)')
  .option('--server <url>', 'https URL of the daemon, to enrol')
  .option('--enrol-file <file>', 'holds the single-use enrolment token; removed when it is used')
  .option('--test-allow-loopback', 'reach directories and receivers on loopback: for tests alone')
  .parse();
const given = command.opts<{
  state: string;
  cache?: string;
  server?: string;
  enrolFile?: string;
  testAllowLoopback?: true;
}>();

const logger = pino({
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  level: process.env['REMUDA_LOG_LEVEL'] ?? 'info',
  redact: {
    paths: ['*.key', '*.token', '*.secret', '*.sshPrivateKey', 'token', 'secret'],
    censor: '[redacted]',
  },
});

/** The providers this box can work with. A box that can hold no lab still serves the others. */
async function providers(): Promise<Map<ProviderType, ProviderFactory>> {
  const known = new Map<ProviderType, ProviderFactory>();
  try {
    const settings = await labSettings();
    known.set('lab', ({ name, config }) => {
      const parsed = labConfigSchema.safeParse(config);
      if (!parsed.success)
        throw new UserProblem(
          'LAB-002',
          `Provider ${name}: ${parsed.error.issues[0]?.message ?? 'not valid'}`,
          {
            place: { document: `Provider/${name}`, field: 'spec.lab' },
            remedy: 'Only subnet, cpus and memory may stand in spec.lab.',
          },
        );
      return new LabProvider(settings);
    });
  } catch (error) {
    logger.warn({ problem: reportOf(error, 'start') }, 'this box can hold no lab');
  }
  return known;
}

function enrolment(): { readonly server: string; readonly token: string } | undefined {
  const { server, enrolFile } = given;
  if (server === undefined) return undefined;
  try {
    return enrolFile === undefined ? undefined : { server, token: readFileSync(enrolFile, 'utf8').trim() };
  } catch {
    // Used and removed before; the agent says so itself if it is not enrolled.
    return undefined;
  }
}

async function main(): Promise<void> {
  const cache = payloadCache(given.cache);
  const supply = new PayloadSupply({
    cache,
    trusted: () => localTrust(cache.signingKey),
    stateFolder: given.state,
  });
  const token = enrolment();
  const agent = await startAgent({
    stateFolder: given.state,
    supply,
    steps,
    providers: await providers(),
    ...(token === undefined ? {} : { enrolment: token }),
    clock: systemClock,
    logger,
    release: release(),
    reach: { isLoopbackAllowed: given.testAllowLoopback === true },
  });
  if (given.enrolFile !== undefined) rmSync(given.enrolFile, { force: true });
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'the agent stops; units on machines go on');
    void agent.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Of package.json, beside which this repository's folders lie. */
function release(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}

// Whatever this process writes is its owner's alone.
process.umask(0o077);
try {
  await main();
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  const { summary, remedy = '' } = error.report;
  logger.fatal({ problem: error.report }, summary);
  if (process.stderr.isTTY) process.stderr.write(`${summary}\n${remedy}\n`);
  process.exitCode = error.report.kind === 'transient' ? 75 : 2;
}
