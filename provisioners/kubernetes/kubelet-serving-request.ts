import 'reflect-metadata';
import { createPublicKey, verify } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';

/** Signer of the certificates that kubelets serve with. */
export const servingSigner = 'kubernetes.io/kubelet-serving';

/** A machine that may have a kubelet, as we know it from our own records: never from what the machine says of itself. */
export interface KnownNode {
  readonly name: string;
  /** Addresses that it was given. */
  readonly addresses: readonly string[];
}

/** A request for a kubelet's serving certificate, as the API server keeps it. */
export interface ServingRequest {
  readonly name: string;
  /** Who asked: set by the API server from the asker's own credential. */
  readonly username: string;
  readonly groups: readonly string[];
  readonly usages: readonly string[];
  /** PKCS#10 in PEM, base64. */
  readonly request: string;
  readonly isDecided: boolean;
  readonly isDenied: boolean;
  /** What whoever denied it said. */
  readonly message?: string;
}

const conditionSchema = z.object({ type: z.string(), message: z.string().optional() });

const requestSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    request: z.string(),
    signerName: z.string(),
    username: z.string().default(''),
    groups: z.array(z.string()).default([]),
    usages: z.array(z.string()).default([]),
  }),
  status: z.object({ conditions: z.array(conditionSchema).default([]) }).prefault({}),
});

/** The request in an object; undefined when it is for another signer. */
export function servingRequestOf(object: KubernetesObject): ServingRequest | undefined {
  const { metadata, spec, status } = requestSchema.parse(object);
  if (spec.signerName !== servingSigner) return undefined;
  const { username, groups, usages, request } = spec;
  const denial = status.conditions.find(({ type }) => type === 'Denied');
  return {
    name: metadata.name,
    username,
    groups,
    usages,
    request,
    isDecided: status.conditions.length > 0,
    isDenied: denial !== undefined,
    ...(denial?.message === undefined ? {} : { message: denial.message }),
  };
}

const userPrefix = 'system:node:';

/** Name under which the kubelet of a Node speaks to the API (Node authorization). */
export const userOfNode = (node: string): string => `${userPrefix}${node}`;
const nodesGroup = 'system:nodes';
const requiredUsages = ['digital signature', 'server auth'];
/** RSA keys may also encipher; kubelets before 1.27 ask for it with every key. */
const optionalUsages = ['key encipherment'];

const subjectAlternativeName = '2.5.29.17';
const extensionRequest = '1.2.840.113549.1.9.14';

/** One PEM block and nothing around it: of two, or of one with something before it, readers may take another. */
const onePem =
  /^-----BEGIN CERTIFICATE REQUEST-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE REQUEST-----\n?$/u;

/** Whether whoever made the request holds its key (RFC 2986, §4.2). In one go: nothing is waited for in between. */
function isSignedByItself(request: x509.Pkcs10CertificateRequest): boolean {
  const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  const { hash } = request.signatureAlgorithm as { readonly hash?: { readonly name?: string } };
  const digest = hash?.name?.replace('-', '').toLowerCase() ?? null;
  return verify(digest, firstOf(Buffer.from(request.rawData)), key, Buffer.from(request.signature));
}

/** The first element of a DER sequence, with its own tag and length: of a request, what is signed. */
function firstOf(sequence: Buffer): Buffer {
  const start = headOf(sequence, 0).content;
  const { content, length } = headOf(sequence, start);
  return sequence.subarray(start, content + length);
}

/** Where the content of the element at an offset begins, and its length (X.690, 8.1.3). */
function headOf(der: Buffer, at: number): { readonly content: number; readonly length: number } {
  const first = der.readUInt8(at + 1);
  if (first < 0x80) return { content: at + 2, length: first };
  const bytes = first & 0x7f;
  return { content: at + 2 + bytes, length: der.readUIntBE(at + 2, bytes) };
}

/** One form of an address, so that another spelling of it is the same. */
const canonical = (address: string): string => ipaddr.process(address).toString();

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((each) => other.includes(each));

/** Who asked, and whether the machine of that name is one of ours. */
function askerProblem(asked: ServingRequest, node: KnownNode | undefined): string | undefined {
  if (!asked.username.startsWith(userPrefix)) return `${asked.username || 'nobody'} is not a node`;
  if (!asked.groups.includes(nodesGroup)) return `${asked.username} is not of the group ${nodesGroup}`;
  if (node === undefined) return `${asked.username.slice(userPrefix.length)} is no machine of this cluster`;
  const missing = requiredUsages.filter((usage) => !asked.usages.includes(usage));
  if (missing.length > 0) return `it is not for the usage ${missing.join(', ')}`;
  const foreign = asked.usages.filter((usage) => ![...requiredUsages, ...optionalUsages].includes(usage));
  return foreign.length > 0 ? `it is also for the usage ${foreign.join(', ')}` : undefined;
}

/** What the certificate would say, against what it may. */
function contentProblem(request: x509.Pkcs10CertificateRequest, node: KnownNode): string | undefined {
  const subject = request.subjectName;
  const fields = subject.toJSON().flatMap((name) => Object.keys(name));
  if (!isSame(subject.getField('CN'), [`${userPrefix}${node.name}`]))
    return `its name is ${subject.getField('CN').join(', ') || 'missing'}, not ${userPrefix}${node.name}`;
  if (!isSame(subject.getField('O'), [nodesGroup]))
    return `its organization is ${subject.getField('O').join(', ') || 'missing'}, not ${nodesGroup}`;
  const moreFields = fields.filter((field) => field !== 'CN' && field !== 'O');
  if (moreFields.length > 0) return `its subject also has ${moreFields.join(', ')}`;
  return extensionProblem(request) ?? namesProblem(request, node);
}

/**
 * A request asks for names in one place and nothing else. Of several places, or several of one kind in one, two readers
 * may each take another: what is judged here must be what is signed.
 */
function extensionProblem({ attributes, extensions }: x509.Pkcs10CertificateRequest): string | undefined {
  const attribute = attributes.find(({ type }) => type !== extensionRequest);
  if (attribute !== undefined) return `it has the attribute ${attribute.type}`;
  if (attributes.length > 1 || attributes.some(({ values }) => values.length > 1))
    return 'it asks for extensions more than once';
  const extension = extensions.find(({ type }) => type !== subjectAlternativeName);
  if (extension !== undefined) return `it has the extension ${extension.type}`;
  return extensions.length > 1 ? 'it asks for names more than once' : undefined;
}

/** The names it would be good for: the node's own and no other. */
function namesProblem(
  { extensions }: x509.Pkcs10CertificateRequest,
  { name, addresses }: KnownNode,
): string | undefined {
  const [extension] = extensions;
  if (!(extension instanceof x509.SubjectAlternativeNameExtension)) return 'it is for no name and no address';
  const names = extension.names.toJSON();
  if (names.length === 0) return 'it is for no name and no address';
  const own = new Set(addresses.map(canonical));
  const foreign = names.find(({ type, value }) => {
    if (type === 'dns') return value !== name;
    return type !== 'ip' || !ipaddr.isValid(value) || !own.has(canonical(value));
  });
  if (foreign === undefined) return undefined;
  return `it is also for ${foreign.value}, which is not ${name}'s`;
}

/**
 * Why a kubelet's request for a serving certificate must not be granted, in a sentence's part; undefined when it may.
 * Whoever holds such a certificate is believed to be that node when the API server sends it commands and reads its logs,
 * so a node gets it for its own name and the addresses we gave it, and for nothing else. The signer's own rules are
 * checked too, because approving is what makes it sign
 * (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers).
 */
export function whyNotServe(asked: ServingRequest, nodes: readonly KnownNode[]): string | undefined {
  const node = nodes.find(({ name }) => asked.username === `${userPrefix}${name}`);
  const problem = askerProblem(asked, node);
  if (problem !== undefined || node === undefined) return problem ?? 'nobody asked';
  const pem = Buffer.from(asked.request, 'base64').toString('latin1');
  if (!onePem.test(pem)) return 'it is not one request in PEM';
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(pem);
    if (!isSignedByItself(request)) return 'its signature is not of its key';
  } catch {
    return 'it cannot be read';
  }
  return contentProblem(request, node);
}
