import type { z } from 'zod';
import type { Place, ProblemReport } from '../../provisioners/contract/problem.ts';
import type { clusterDocumentSchema } from './schema/cluster.ts';
import type { policyDocumentSchema } from './schema/policy.ts';
import type { providerDocumentSchema } from './schema/provider.ts';
import type { secretDocumentSchema } from './schema/secret.ts';

/** A Provider after defaults; sizes in bytes. */
export type ProviderDocument = z.infer<typeof providerDocumentSchema>;
/** A Cluster after defaults; sizes in bytes, the version without `v`, CIDRs and ranges as written. */
export type ClusterDocument = z.infer<typeof clusterDocumentSchema>;
/** A Policy after defaults. */
export type PolicyDocument = z.infer<typeof policyDocumentSchema>;
/** A Secret as its author wrote it. Never kept: see {@link ParsedSecret}. */
export type SecretDocument = z.infer<typeof secretDocumentSchema>;
/** One group of equal workers, after defaults. */
export type WorkerGroup = ClusterDocument['spec']['workers'][number];

/** A Provider or Cluster of a stream, ready to be stored. */
export interface ParsedDocument<
  Document extends ProviderDocument | ClusterDocument = ProviderDocument | ClusterDocument,
> {
  readonly document: Document;
  /** `sha256:<hex>` of the canonical JSON of the document with its defaults; equal documents have equal digests. */
  readonly revisionDigest: string;
  /** The document as the user wrote it, comments included. Holds no secret. */
  readonly text: string;
  /** Where it stands in the file: its first line. */
  readonly place: Place;
}

/** A secret split off a stream. Its values go to the sealer and nowhere else. */
export interface ParsedSecret {
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
  /** The server it may be given to: as written, else what the document that refers to it names. */
  readonly destination?: string;
  readonly place: Place;
}

/** A whole stream: everything that is well and everything that is not. */
export interface ParsedStream {
  readonly documents: readonly ParsedDocument[];
  readonly secrets: readonly ParsedSecret[];
  readonly policies: readonly PolicyDocument[];
  /** All problems at once, in the order of the file. Apply nothing while there is one. */
  readonly problems: readonly ProblemReport[];
  /**
   * The stream without its Secret documents and without what could not be understood; each is replaced by blank
   * lines, so that line numbers stay.
   */
  readonly sanitizedText: string;
}

/** A secret the store knows: its name, and the destination it was given for. Never its values. */
export interface KnownSecret {
  readonly name: string;
  readonly destination?: string | undefined;
}

/** Kubernetes minors that can be installed, `1.37`, newest first. */
export interface SupportedVersions {
  readonly minor: readonly string[];
}

/** What a stream is read with. */
export interface StreamOptions {
  /** Name for messages: a path as the user gave it, or `-`. */
  readonly file: string;
  /** Defaults to the versions of this release. */
  readonly supportedVersions?: SupportedVersions;
  /** Providers of the store; absent = references out of the stream are not judged (`remuda validate`, no server). */
  readonly knownProviders?: readonly ProviderDocument[];
  /** Secrets of the store; absent = references out of the stream are not judged. */
  readonly knownSecrets?: readonly KnownSecret[];
  /** Whether `{fromEnv}` and `{fromFile}` may stand unresolved; default false, as on the server. */
  readonly allowSources?: boolean;
}

/** True when the document is a Cluster; narrows. */
export const isCluster = (document: ProviderDocument | ClusterDocument): document is ClusterDocument =>
  document.kind === 'Cluster';
