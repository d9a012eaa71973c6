import { z } from 'zod';
import { shorten } from './shortening.ts';
import { authorityUrlProblem, mountProblem } from './authority-syntax.ts';
import { cidrProblem, hostProblem, ipProblem, proxyProblem, rangeProblem } from './address-syntax.ts';
import {
  bucketProblem,
  folderPathProblem,
  prefixProblem,
  scheduleProblem,
  serverUrlProblem,
} from './backup-syntax.ts';
import { scriptProblem, webhookUrlProblem } from './hook-syntax.ts';
import {
  domainProblem,
  flagProblem,
  labelKeyProblem,
  labelNameProblem,
  labelValueProblem,
  secretKeyProblem,
} from './name-syntax.ts';
import {
  dayTimeProblem,
  durationProblem,
  parseSize,
  percentageProblem,
  sizeProblem,
  versionProblem,
} from './quantity-syntax.ts';

/** Why a value cannot be, with the code of the catalogue. Sentences use the value as given to the check. */
export interface SyntaxProblem {
  readonly code: string;
  readonly summary: string;
  readonly remedy: string;
}

/** A rule about the text of one value: undefined when it is well. */
export type SyntaxRule = (value: string) => SyntaxProblem | undefined;

/** A string that keeps a rule; the problem travels in the issue's params. */
function text(rule: SyntaxRule) {
  return z.string().superRefine((value, context) => {
    const problem = rule(value);
    if (!problem) return;
    const summary = value.length > 80 ? problem.summary.replaceAll(value, shorten(value)) : problem.summary;
    context.addIssue({ code: 'custom', message: summary, params: { ...problem, summary } });
  });
}

/** A DNS label (RFC 1123): names of clusters, providers, secrets, worker groups. */
export const nameSchema = text(labelNameProblem);
/** `16Gi`, `80G`: whole number and unit; bytes after parsing. */
export const sizeSchema = text(sizeProblem).transform(parseSize);
/** `80%`. */
export const percentageSchema = text(percentageProblem);
/** `80%`, or a number of machines. */
export const shareSchema = z.union([z.int().min(0).max(10_000), percentageSchema]);
/** `30s`, `15m`, `2h`. */
export const durationSchema = text(durationProblem);
/** `1.37.1`, also accepted as `v1.37.1`; without the `v` after parsing. */
export const versionSchema = text(versionProblem).transform((value) => value.replace(/^v/, ''));
/** IPv4 network, `10.244.0.0/16`, host bits zero. */
export const cidrSchema = text(cidrProblem);
/** IPv4 address. */
export const addressSchema = text(ipProblem);
/** `first-last` or a CIDR, IPv4. */
export const rangeSchema = text(rangeProblem);
/** IPv4 address or DNS name. */
export const hostSchema = text(hostProblem);
/** Kubernetes labels: key syntax and value syntax. */
export const labelsSchema = z.record(text(labelKeyProblem), text(labelValueProblem));
/** Kubernetes label or taint key. */
export const labelKeySchema = text(labelKeyProblem);
/** Kubernetes label or taint value, may be empty. */
export const labelValueSchema = text(labelValueProblem);
/** TCP port. */
export const portSchema = z.int().min(1).max(65535);
/** Any text but the empty one. */
export const textSchema = z.string().min(1);
/** A DNS domain, such as `cluster.local`. */
export const domainSchema = text(domainProblem);
/** A time of day, `22:00`. */
export const dayTimeSchema = text(dayTimeProblem);
/** URL of a proxy, without credentials. */
export const proxyUrlSchema = text(proxyProblem);
/** Key of a value in a Secret. */
export const secretKeySchema = text(secretKeyProblem);
/** Name of a command line flag. */
export const flagSchema = text(flagProblem);
/** When something is done, in the five fields of cron. */
export const scheduleSchema = text(scheduleProblem);
/** An absolute path, without `.` and `..`. */
export const folderPathSchema = text(folderPathProblem);
/** `https://host[:port]`. */
export const serverUrlSchema = text(serverUrlProblem);
/** `https://host[:port]` of a server that signs certificates. */
export const authorityUrlSchema = text(authorityUrlProblem);
/** Path under which an engine of Vault is mounted. */
export const mountSchema = text(mountProblem);
/** Name of an S3 bucket. */
export const bucketSchema = text(bucketProblem);
/** Text of a script. */
export const scriptSchema = text(scriptProblem);
/** `https://host[:port]/path`. */
export const webhookUrlSchema = text(webhookUrlProblem);
/** Beginning of the names of S3 objects. */
export const prefixSchema = text(prefixProblem);
