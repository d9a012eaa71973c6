import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { UpstreamRelease } from '../../../provisioners/payload/digests.ts';
import { upstreamFiles, type UpstreamSources } from '../../../provisioners/payload/upstream.ts';
import { parseRange } from '../../../provisioners/payload/range.ts';
import { loopbackCertificate } from './certificate.ts';

/** How the stand-in treats the next requests for a path, one entry each; afterwards it behaves. */
export type Misbehaviour =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: 'break'; readonly after: number }
  | { readonly kind: 'redirect'; readonly to: string };

/**
 * A STAND-IN for upstream, named so: dl.k8s.io, GitHub's releases and a registry with a token server, on one loopback
 * port with TLS. Contents are made up; paths, statuses, ranges and the token flow are upstream's.
 */
export interface UpstreamStandIn extends AsyncDisposable {
  readonly sources: UpstreamSources;
  readonly release: UpstreamRelease;
  /** Path → contents; a test may change them behind the reviewed digests. */
  readonly contents: Map<string, Buffer>;
  readonly misbehaviours: Map<string, Misbehaviour[]>;
  /** `METHOD path [range] [auth]`, in order. */
  readonly seen: string[];
  /** When false the server ignores Range, as some mirrors do. */
  doesRanges: boolean;
  readonly url: string;
}

const hex = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Size of kubelet's stand-in in bytes: large enough to be broken off in the middle. */
const LARGE = 3 * 1024 * 1024;

/** Starts the stand-in with one made-up release, v1.37.1. */
export async function startUpstreamStandIn(): Promise<UpstreamStandIn> {
  const { certificate, privateKey } = await loopbackCertificate();
  const contents = new Map<string, Buffer>();
  const release = publish(contents);
  const state = {
    contents,
    misbehaviours: new Map<string, Misbehaviour[]>(),
    seen: [] as string[],
    doesRanges: true,
  };
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) =>
    answer(state, request, response),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const base = { url, alsoHosts: [] };
  const sources = { kubernetes: base, github: base, registry: base, certificateAuthorities: [certificate] };
  return Object.assign(state, {
    sources,
    release,
    url,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}

/** Fills the stand-in and writes down the digests a reviewer would have compared. */
function publish(contents: Map<string, Buffer>): UpstreamRelease {
  const files: Record<string, Buffer> = {};
  for (const role of ['kubeadm', 'kubelet', 'kubectl', 'containerd', 'runc', 'cni-plugins', 'crictl']) {
    files[role] = randomBytes(role === 'kubelet' ? LARGE : 2000);
  }
  const sum = (role: string): string => hex(files[role] ?? Buffer.alloc(0));
  const release: UpstreamRelease = {
    kubernetes: 'v1.37.1',
    arch: 'amd64',
    reviewed: 'made up for a test, reviewed by nobody',
    kubeadm: sum('kubeadm'),
    kubelet: sum('kubelet'),
    kubectl: sum('kubectl'),
    containerd: { version: 'v2.3.0', sha256: sum('containerd') },
    runc: { version: 'v1.5.0', sha256: sum('runc') },
    cniPlugins: { version: 'v1.9.0', sha256: sum('cni-plugins') },
    crictl: { version: 'v1.37.0', sha256: sum('crictl') },
    images: [
      {
        repository: 'kube-apiserver',
        tag: 'v1.37.1',
        digest: publishImage(contents, 'kube-apiserver', 'index'),
        for: 'control-plane',
      },
      {
        repository: 'coredns/coredns',
        tag: 'v1.14.0',
        digest: publishImage(contents, 'coredns/coredns', 'manifest'),
        for: 'control-plane',
      },
      { repository: 'pause', tag: '3.11', digest: publishImage(contents, 'pause', 'index'), for: 'all' },
      {
        repository: 'e2e-test-images/agnhost',
        tag: '2.53',
        digest: publishImage(contents, 'e2e-test-images/agnhost', 'index'),
        for: 'all',
      },
    ],
  };
  for (const file of upstreamFiles(release)) contents.set(file.path, files[file.role] ?? Buffer.alloc(0));
  return release;
}

function publishImage(
  contents: Map<string, Buffer>,
  repository: string,
  shape: 'index' | 'manifest',
): string {
  const put = (kind: 'blobs' | 'manifests', bytes: Buffer): { digest: string; size: number } => {
    const digest = `sha256:${hex(bytes)}`;
    contents.set(`/v2/${repository}/${kind}/${digest}`, bytes);
    return { digest, size: bytes.length };
  };
  const layer = put('blobs', randomBytes(5000));
  const config = put(
    'blobs',
    Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', for: repository })),
  );
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put(
    'manifests',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
      }),
    ),
  );
  if (shape === 'manifest') return manifest.digest;
  const platform = { os: 'linux', architecture: 'amd64' };
  const other = {
    mediaType: type,
    digest: `sha256:${'0'.repeat(64)}`,
    size: 1,
    platform: { os: 'linux', architecture: 's390x' },
  };
  const index = { schemaVersion: 2, manifests: [other, { mediaType: type, ...manifest, platform }] };
  return put('manifests', Buffer.from(JSON.stringify(index))).digest;
}

/** Token the registry part wants; given out only for pulling. */
const TOKEN = 'stand-in-token';

function answer(
  state: Pick<UpstreamStandIn, 'contents' | 'misbehaviours' | 'seen' | 'doesRanges'>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? '/', 'https://stand-in');
  const { range, authorization } = request.headers;
  state.seen.push(
    [request.method, url.pathname + url.search, range, authorization].filter(Boolean).join(' '),
  );
  const misbehaviour = state.misbehaviours.get(url.pathname)?.shift();
  if (misbehaviour?.kind === 'status') {
    response.writeHead(misbehaviour.status, misbehaviour.headers).end('not now');
    return;
  }
  if (misbehaviour?.kind === 'redirect') {
    response.writeHead(302, { location: misbehaviour.to }).end();
    return;
  }
  if (url.pathname === '/token') {
    const isPull = /^repository:[a-z0-9/-]+:pull$/.test(url.searchParams.get('scope') ?? '');
    response
      .writeHead(isPull ? 200 : 400)
      .end(isPull ? JSON.stringify({ token: TOKEN, expires_in: 300 }) : '');
    return;
  }
  if (url.pathname.startsWith('/v2/') && authorization !== `Bearer ${TOKEN}`) {
    const realm = `https://${request.headers.host}/token`;
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="stand-in",scope="x"` })
      .end();
    return;
  }
  const bytes = state.contents.get(url.pathname);
  if (bytes === undefined) response.writeHead(404).end();
  else sendBytes(response, bytes, state.doesRanges ? range : undefined, misbehaviour?.after);
}

function sendBytes(
  response: ServerResponse,
  bytes: Buffer,
  asked: string | undefined,
  breakAfter: number | undefined,
): void {
  const range = parseRange(asked, bytes.length);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const body = range === null ? bytes : bytes.subarray(range.start, range.end + 1);
  const contentRange =
    range === null ? {} : { 'content-range': `bytes ${range.start}-${range.end}/${bytes.length}` };
  response.writeHead(range === null ? 200 : 206, { 'content-length': body.length, ...contentRange });
  if (breakAfter === undefined) response.end(body);
  else response.write(body.subarray(0, breakAfter), () => response.destroy());
}
