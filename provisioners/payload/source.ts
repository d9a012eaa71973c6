import { mkdir, readdir, rename, rm, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentKey, makeFolder, recipeKey } from './cache.ts';
import {
  type Apt,
  downloadPackages,
  resolveVersions,
  sourceVersion,
  unpackPackage,
  unpackSource,
} from './debian.ts';
import { runTool } from './tool.ts';

/** The Go that builds Kubernetes 1.20 as Debian ships it; newer ones refuse its vendored tree. */
const GO_PACKAGES = ['golang-1.19-go', 'golang-1.19-src'];

/** Brings reflect2 1.0.2; the vendored 1.0.1 crashes kubeadm when built with Go 1.18 or newer. */
const REFLECT2_PACKAGE = 'golang-github-modern-go-reflect2-dev';

/** A tree of Kubernetes sources that compiles as it lies there. */
export interface KubernetesSource {
  /** Changes whenever anything that went in changes. */
  readonly key: string;
  /** The cached folder that holds all of it. */
  readonly folder: string;
  /** For GOPATH. */
  readonly goPath: string;
  /** The tree itself, below the GOPATH. */
  readonly tree: string;
  /** GOROOT of the unpacked Go. */
  readonly goRoot: string;
  /** Version of Debian's source package. */
  readonly debianVersion: string;
  /** Version of Debian's Go. */
  readonly goVersion: string;
  /** Seconds since the epoch of the package's last change: the build date, so that builds repeat. */
  readonly date: number;
}

/** Import path of the tree inside the GOPATH. */
const TREE = join('src', 'k8s.io', 'kubernetes');

/** Environment of every call of Go: GOPATH mode (module mode stops at "updates to go.mod needed"), no network, no C. */
export function goEnvironment(
  source: Pick<KubernetesSource, 'goRoot' | 'goPath'>,
  goBuild: string,
): Record<string, string> {
  return {
    GOROOT: source.goRoot,
    GOPATH: source.goPath,
    GOCACHE: goBuild,
    GO111MODULE: 'off',
    GOPROXY: 'off',
    GOSUMDB: 'off',
    GOFLAGS: '',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  };
}

/** Unpacks Debian's Go and Kubernetes sources and makes them fit each other; cached by their versions. */
export async function prepareSource(apt: Apt): Promise<KubernetesSource> {
  const packages = await resolveVersions(apt, [...GO_PACKAGES, REFLECT2_PACKAGE]);
  const debianVersion = await sourceVersion(apt, 'kubernetes');
  const versions = packages.map((one) => `${one.name}=${one.version}`);
  const key = contentKey([await recipeKey('source.ts'), `kubernetes=${debianVersion}`, ...versions]);
  const folder = await makeFolder(join(apt.cache.stages, `source-${key.slice(0, 12)}`), async (temporary) => {
    const files = await downloadPackages(apt, packages);
    for (const [index, file] of files.entries()) {
      await unpackPackage(
        file,
        join(temporary, packages[index]?.name === REFLECT2_PACKAGE ? 'reflect2' : 'go'),
      );
    }
    const goPath = join(temporary, 'gopath');
    await mkdir(join(goPath, 'src', 'k8s.io'), { recursive: true });
    await unpackSource(apt, 'kubernetes', debianVersion, join(goPath, 'src', 'k8s.io'));
    const reflect2 = join('github.com', 'modern-go', 'reflect2');
    await replaceGoFiles(
      join(temporary, 'reflect2', 'usr', 'share', 'gocode', 'src', reflect2),
      join(goPath, TREE, 'vendor', reflect2),
    );
    await generateOpenApi(
      apt,
      join(goPath, TREE),
      goEnvironment({ goRoot: goRootOf(temporary), goPath }, apt.cache.goBuild),
    );
  });
  const tree = join(folder, 'gopath', TREE);
  const changed = await runTool('dpkg-parsechangelog', [
    '--file',
    join(tree, 'debian', 'changelog'),
    '--show-field',
    'Timestamp',
  ]);
  return {
    key,
    folder,
    goPath: join(folder, 'gopath'),
    tree,
    goRoot: goRootOf(folder),
    debianVersion,
    goVersion: packages[0]?.version ?? '',
    date: Number(changed.trim()),
  };
}

const goRootOf = (folder: string): string => join(folder, 'go', 'usr', 'lib', 'go-1.19');

const isGoSource = (name: string): boolean => /\.(go|s)$/.test(name) && !name.endsWith('_test.go');

async function replaceGoFiles(from: string, to: string): Promise<void> {
  for (const name of await readdir(to)) if (/\.(go|s)$/.test(name)) await rm(join(to, name));
  for (const name of await readdir(from))
    if (isGoSource(name)) await copyFile(join(from, name), join(to, name));
}

/**
 * Generates `zz_generated.openapi.go`, the one generated file that kube-apiserver needs and the source package lacks.
 * openapi-gen is called directly: upstream's make rules scan the whole tree first, for minutes.
 */
async function generateOpenApi(apt: Apt, tree: string, env: Record<string, string>): Promise<void> {
  const options = {
    cwd: tree,
    env,
    log: apt.cache.log,
    ...(apt.signal === undefined ? {} : { signal: apt.signal }),
  };
  const generator = join(tree, 'openapi-gen.built');
  const go = join(env['GOROOT'] ?? '', 'bin', 'go');
  await runTool(
    'nice',
    ['-n', '5', go, 'build', '-trimpath', '-o', generator, './vendor/k8s.io/kube-openapi/cmd/openapi-gen'],
    options,
  );
  const marked = await runTool(
    'grep',
    ['-rl', '--include=*.go', '+k8s:openapi-gen=', 'staging/src/k8s.io', 'pkg', 'cmd'],
    options,
  );
  const inputs = openApiInputs(marked.split('\n'));
  const report = join(tree, 'openapi-violations.report');
  const generated = join(tree, 'pkg', 'generated', 'openapi');
  const args = ['--logtostderr', '-i', inputs.join(','), '-p', 'k8s.io/kubernetes/pkg/generated/openapi'];
  args.push(
    '-O',
    'zz_generated.openapi',
    '-h',
    'vendor/k8s.io/code-generator/hack/boilerplate.go.txt',
    '-r',
    report,
  );
  await runTool('nice', ['-n', '5', generator, ...args], options);
  await rename(generator, join(tree, '..', 'openapi-gen'));
  if (!(await readdir(generated)).includes('zz_generated.openapi.go'))
    throw new Error('openapi-gen wrote no file');
}

/** The packages that upstream's Makefile gives to openapi-gen: marked ones, without generators, samples and tests. */
function openApiInputs(files: readonly string[]): readonly string[] {
  const folders = files
    .filter(
      (file) =>
        file !== '' && !/code-generator|sample-apiserver|\/_examples\/|zz_generated|_test\.go/.test(file),
    )
    .map((file) => file.slice(0, file.lastIndexOf('/')))
    .map((folder) => `k8s.io/kubernetes/${folder.replace(/^staging\/src\//, 'vendor/')}`);
  return [...new Set(folders)].sort();
}
