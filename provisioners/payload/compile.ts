import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserProblem } from '../contract/problem.ts';
import { contentKey, makeFolder, type PayloadCache, recipeKey } from './cache.ts';
import { goEnvironment, type KubernetesSource } from './source.ts';
import { runTool } from './tool.ts';

/** What is compiled for every lab payload. */
const KUBERNETES_BINARIES = [
  'kubeadm',
  'kubelet',
  'kubectl',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
] as const;

/** The version whose code Debian's source package carries. */
const SOURCE_VERSION = 'v1.20.2';

/**
 * Versions the lab can have. All but {@link SOURCE_VERSION} are restamped: the same code under another version
 * number, enough to rehearse an upgrade of a patch release and said wherever it is shown.
 */
export const LAB_VERSIONS: readonly string[] = [SOURCE_VERSION, 'v1.20.3'];

/** One sentence for people about where a lab version comes from. */
export function labProvenance(version: string, source: KubernetesSource): string {
  const base =
    `Built on this machine from Debian's source package kubernetes ${source.debianVersion} (upstream ${SOURCE_VERSION} with ` +
    `Debian's patches) with Go ${source.goVersion}; changed: reflect2 1.0.2 instead of the vendored 1.0.1, OpenAPI definitions generated.`;
  if (version === SOURCE_VERSION) return base;
  return `RESTAMPED: the code of ${SOURCE_VERSION} under the version number ${version}, for rehearsing a patch upgrade; it is not upstream's ${version}. ${base}`;
}

/** A folder with the compiled binaries. */
export interface CompiledBinaries {
  readonly key: string;
  readonly folder: string;
}

/** Where the binaries of a version lie, compiled or not yet, and under which key. */
export async function compiledPlace(
  cache: PayloadCache,
  source: KubernetesSource,
  version: string,
): Promise<CompiledBinaries> {
  const key = contentKey([await recipeKey('compile.ts'), source.key, version]);
  return { key, folder: join(cache.stages, `binaries-${version}-${key.slice(0, 12)}`) };
}

/**
 * Compiles Kubernetes, static and stripped; cached by source and version. Throws UserProblem for a version that is
 * not in {@link LAB_VERSIONS}.
 */
export async function compileKubernetes(
  cache: PayloadCache,
  source: KubernetesSource,
  version: string,
  step: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<CompiledBinaries> {
  if (!LAB_VERSIONS.includes(version)) {
    throw new UserProblem('PAYLOAD-013', `The lab payload cannot be built as ${version}.`, {
      value: version,
      remedy: `Choose one of ${LAB_VERSIONS.join(', ')}: Debian's last whole Kubernetes source is ${SOURCE_VERSION}.`,
    });
  }
  const { key, folder: wanted } = await compiledPlace(cache, source, version);
  const folder = await makeFolder(wanted, async (temporary) => {
    const env = goEnvironment(source, cache.goBuild);
    const go = join(source.goRoot, 'bin', 'go');
    const packages = KUBERNETES_BINARIES.map((name) => `./cmd/${name}`);
    const options = { cwd: source.tree, env, ...(signal === undefined ? {} : { signal }) };
    const all = await runTool(go, ['list', '-deps', ...packages], options);
    // With -v Go names each package as it compiles it; linking the binaries is counted as one more each.
    const total = all.split('\n').length + KUBERNETES_BINARIES.length;
    let done = 0;
    const onErrorLine = (): void => step(Math.min(++done, total), total);
    const output = `${temporary}/`;
    await mkdir(temporary, { recursive: true });
    const args = ['build', '-v', '-trimpath', '-ldflags', stamp(version, source), '-o', output, ...packages];
    await runTool('nice', ['-n', '5', go, ...args], { ...options, log: cache.log, onErrorLine });
    const pause = join(source.tree, 'build', 'pause', 'linux', 'pause.c');
    await runTool(
      'gcc',
      ['-Os', '-Wall', '-static', '-s', '-DVERSION=3.2', '-o', join(temporary, 'pause'), pause],
      options,
    );
  });
  return { key, folder };
}

/**
 * The linker flags that carry the version. The prefix is the vendored path: without it Kubernetes reports v0.0.0 and
 * kubeadm refuses to work.
 */
function stamp(version: string, source: KubernetesSource): string {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const restamped = version === SOURCE_VERSION ? '' : `-restamped-from-${SOURCE_VERSION}`;
  const values = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'archive',
    gitCommit: `remuda-lab${restamped}`,
    buildDate: new Date(source.date * 1000).toISOString().replace('.000', ''),
  };
  const places = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const flags = places.flatMap((place) =>
    Object.entries(values).map(([name, value]) => `-X k8s.io/kubernetes/vendor/${place}.${name}=${value}`),
  );
  return ['-s', '-w', ...flags].join(' ');
}
