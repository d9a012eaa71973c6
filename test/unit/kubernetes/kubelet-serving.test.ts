import 'reflect-metadata';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { Attribute, Extension, Extensions } from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import {
  type ServingRequest,
  servingRequestOf,
  whyNotServe,
} from '../../../provisioners/kubernetes/kubelet-serving-request.ts';
import { decideServing, servingRequests } from '../../../provisioners/kubernetes/kubelet-serving-decision.ts';
import { controlPlane } from '../../fleet/bench.ts';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Machines of the cluster, with what we gave them. */
const nodes = [
  { name: 'w1', addresses: ['10.0.0.21', 'fd00:0:0::0021'] },
  { name: 'w2', addresses: ['10.0.0.22'] },
];

type Name = { readonly type: 'dns' | 'ip' | 'email' | 'url'; readonly value: string };
const ownNames: readonly Name[] = [
  { type: 'dns', value: 'w1' },
  { type: 'ip', value: '10.0.0.21' },
];

const names = (some: readonly Name[]): x509.SubjectAlternativeNameExtension =>
  new x509.SubjectAlternativeNameExtension([...some]);

interface Draft {
  readonly subject?: string;
  readonly names?: readonly Name[];
  readonly extensions?: x509.Extension[];
  readonly attributes?: x509.Attribute[];
}

/** A request as a kubelet makes it, unless said otherwise. */
async function pem(draft: Draft = {}): Promise<string> {
  const keys = await crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: draft.subject ?? 'O=system:nodes, CN=system:node:w1',
    keys,
    signingAlgorithm: ecdsa,
    extensions: draft.extensions ?? [names(draft.names ?? ownNames)],
    attributes: draft.attributes ?? [],
  });
  return `${request.toString('pem')}\n`;
}

const asking = (text: string, more: Partial<ServingRequest> = {}): ServingRequest => ({
  name: 'csr-1',
  username: 'system:node:w1',
  groups: ['system:nodes', 'system:authenticated'],
  usages: ['digital signature', 'server auth'],
  request: Buffer.from(text).toString('base64'),
  isDecided: false,
  isDenied: false,
  ...more,
});

const judge = async (draft: Draft, more: Partial<ServingRequest> = {}): Promise<string | undefined> =>
  whyNotServe(asking(await pem(draft), more), nodes);

/** A second place in which names are asked for: Go's reader takes the last, others the first. */
const secondPlace = (some: readonly Name[]): x509.Attribute => {
  const { type, value } = names(some);
  const extension = new Extension({ extnID: type, extnValue: new OctetString(value) });
  const values = [AsnConvert.serialize(new Extensions([extension]))];
  return new x509.Attribute(AsnConvert.serialize(new Attribute({ type: '1.2.840.113549.1.9.14', values })));
};

describe('a kubelet asks for a certificate to serve with (issue 4: approved by us after checking)', () => {
  it('is granted its own name and addresses, all or some of them, however they are spelled', async () => {
    expect(await judge({})).toBeUndefined();
    expect(await judge({ names: [{ type: 'ip', value: '10.0.0.21' }] })).toBeUndefined();
    const long = { type: 'ip', value: 'fd00:0:0:0:0:0:0:21' } as const;
    expect(await judge({ names: [...ownNames, long] })).toBeUndefined();
    const mapped = { type: 'ip', value: '::ffff:a00:15' } as const;
    expect(await judge({ names: [mapped] })).toBeUndefined();
    expect(
      await judge({}, { usages: ['key encipherment', 'digital signature', 'server auth'] }),
    ).toBeUndefined();
  });

  it.each<[string, Draft, string]>([
    ["another node's name", { names: [{ type: 'dns', value: 'w2' }] }, 'also for w2'],
    [
      "its own and another node's name",
      { names: [...ownNames, { type: 'dns', value: 'w2' }] },
      'also for w2',
    ],
    ["another node's address", { names: [...ownNames, { type: 'ip', value: '10.0.0.22' }] }, '10.0.0.22'],
    ['a foreign address', { names: [{ type: 'ip', value: '192.0.2.1' }] }, '192.0.2.1'],
    ['the loopback address', { names: [...ownNames, { type: 'ip', value: '127.0.0.1' }] }, '127.0.0.1'],
    ['the API', { names: [{ type: 'dns', value: 'kubernetes.default.svc' }] }, 'kubernetes.default.svc'],
    ['every name', { names: [{ type: 'dns', value: '*' }] }, 'also for *'],
    ['a name in other letters', { names: [{ type: 'dns', value: 'W1' }] }, 'also for W1'],
    ['a mail address', { names: [...ownNames, { type: 'email', value: 'a@b.example' }] }, 'a@b.example'],
    ['a URL', { names: [...ownNames, { type: 'url', value: 'spiffe://x/y' }] }, 'spiffe://x/y'],
    ['no name at all', { extensions: [] }, 'no name'],
    ['an empty list of names', { names: [] }, 'no name'],
    [
      'the subject of another node',
      { subject: 'O=system:nodes, CN=system:node:w2' },
      'its name is system:node:w2',
    ],
    ['two subjects', { subject: 'O=system:nodes, CN=system:node:w1, CN=system:node:w2' }, 'its name is'],
    [
      'the masters as group',
      { subject: 'O=system:masters, CN=system:node:w1' },
      'its organization is system:masters',
    ],
    [
      'one group more',
      { subject: 'O=system:nodes, O=system:masters, CN=system:node:w1' },
      'its organization is system:nodes, system:masters',
    ],
    ['a unit', { subject: 'O=system:nodes, OU=x, CN=system:node:w1' }, 'its subject also has OU'],
    [
      'an authority',
      { extensions: [names(ownNames), new x509.BasicConstraintsExtension(true)] },
      'the extension 2.5.29.19',
    ],
    [
      'names twice in one place',
      { extensions: [names(ownNames), names([{ type: 'dns', value: 'w2' }])] },
      'names more than once',
    ],
    [
      'names in a second place, which the signer reads',
      { attributes: [secondPlace([{ type: 'dns', value: 'w2' }])] },
      'extensions more than once',
    ],
    ['a challenge', { attributes: [new x509.ChallengePasswordAttribute('x')] }, 'the attribute'],
  ])('attack: it asks for %s', async (_, draft, why) => expect(await judge(draft)).toContain(why));

  it.each<[string, Partial<ServingRequest>, string]>([
    ['a user', { username: 'somebody' }, 'somebody is not a node'],
    ['nobody', { username: '' }, 'nobody is not a node'],
    ['a node that is no machine of ours', { username: 'system:node:w9' }, 'w9 is no machine'],
    ['another node', { username: 'system:node:w2' }, 'its name is system:node:w1'],
    ['somebody outside the nodes', { groups: ['system:authenticated'] }, 'not of the group'],
    ['one who wants to be a client', { usages: ['digital signature', 'client auth'] }, 'server auth'],
    [
      'one who wants to be a client too',
      { usages: ['digital signature', 'server auth', 'client auth'] },
      'also for the usage client auth',
    ],
    ['one without usages', { usages: [] }, 'not for the usage'],
  ])('attack: %s asks', async (_, more, why) => expect(await judge({}, more)).toContain(why));

  it('attack: the request is damaged, signed by another key, or beside a second one', async () => {
    const [one, other] = [await pem(), await pem({ names: [{ type: 'dns', value: 'w2' }] })];
    expect(whyNotServe(asking('not a request'), nodes)).toContain('not one request');
    expect(whyNotServe(asking(one + other), nodes)).toContain('not one request');
    expect(whyNotServe(asking(`x\n${one}`), nodes)).toContain('not one request');
    expect(whyNotServe(asking(one.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')), nodes)).toContain(
      'not one request',
    );
    const garbage = `-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n`;
    expect(whyNotServe(asking(garbage), nodes)).toContain('cannot be read');
    const der = Buffer.from(new x509.Pkcs10CertificateRequest(one).rawData);
    // The last byte is of the signature.
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const forged = `${x509.PemConverter.encode(der, 'CERTIFICATE REQUEST')}\n`;
    expect(whyNotServe(asking(forged), nodes)).toMatch(/signature|cannot be read/u);
  });
});

describe('a kubelet that was asked', () => {
  const of = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest' } as const;
  const object = (name: string, asked: ServingRequest, signerName = 'kubernetes.io/kubelet-serving') => {
    const { username, groups, usages, request } = asked;
    return { ...of, metadata: { name }, spec: { signerName, username, groups, usages, request } };
  };

  it('is decided on by our own records: approved, or denied; other signers are left alone', async () => {
    const bench = await controlPlane(['m1']);
    const { access } = bench;
    const { kubernetes } = bench.ports();
    const foreign = asking(await pem({ names: [{ type: 'ip', value: '192.0.2.1' }] }));
    await kubernetes.apply(access, [
      object('own', asking(await pem())),
      object('foreign', foreign),
      object('client', foreign, 'kubernetes.io/kube-apiserver-client'),
    ]);
    // A node may write any address into its own status: what it says of itself counts for nothing.
    await kubernetes.apply(access, [
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'w1' }, status: { addresses: ['192.0.2.1'] } },
    ]);
    const found = (await servingRequests(kubernetes, access)).filter(({ isDecided }) => !isDecided);
    expect(found.map(({ name }) => name)).toEqual(['own', 'foreign']);
    for (const request of found) await decideServing(kubernetes, access, request, nodes);
    const conditionsOf = async (name: string): Promise<unknown> =>
      (await kubernetes.get(access, { ...of, name }))?.['status'];
    expect(await conditionsOf('own')).toMatchObject({ conditions: [{ type: 'Approved', status: 'True' }] });
    expect(await conditionsOf('foreign')).toMatchObject({
      conditions: [{ type: 'Denied', message: expect.stringContaining('192.0.2.1') }],
    });
    expect(await conditionsOf('client')).toBeUndefined();
    const again = await servingRequests(kubernetes, access, 'system:node:w1');
    expect(again.map(({ name, isDenied }) => [name, isDenied])).toEqual([
      ['own', false],
      ['foreign', true],
    ]);
  });

  it('reads only requests for that signer', async () => {
    const asked = asking(await pem());
    expect(servingRequestOf(object('a', asked, 'kubernetes.io/legacy-unknown'))).toBeUndefined();
    expect(servingRequestOf(object('a', asked))).toMatchObject({ name: 'a', isDecided: false });
  });
});
