import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { labsIn } from '../provider-footprint.ts';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const link = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};
const lines = (program: string, ...words: readonly string[]): string[] =>
  execFileSync(program, words)
    .toString()
    .split('\n')
    .filter((line) => line !== '');

/** Names of the box's network cards without the numbers of the moment. */
const cards = (): string[] => lines('ip', '-o', 'link', 'show').map((line) => line.split(': ')[1] ?? line);

/** Every running process in namespaces of its own (those of lab hosts and their containers). */
function housed(): string[] {
  const own = { pid: link('/proc/self/ns/pid'), net: link('/proc/self/ns/net') };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !/^State:\s+[ZX]/m.test(read(`/proc/${name}/status`)))
    .flatMap((pid) => {
      const pidSpace = link(`/proc/${pid}/ns/pid`);
      const netSpace = link(`/proc/${pid}/ns/net`);
      if (pidSpace === '' || (pidSpace === own.pid && netSpace === own.net)) return [];
      return [
        `process ${pid} ${netSpace} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 120)}`,
      ];
    });
}

/**
 * What a lab could leave on a box: mounts, cards, routes, control groups, claims, and processes in namespaces of their
 * own (with which those namespaces live). Things of labs of other folders are left out: somebody else may be at work.
 */
export function snapshotBox(ownLabs: string): Set<string> {
  const claims = existsSync('/run/remuda-lab') ? readdirSync('/run/remuda-lab') : [];
  const contents = claims.map((name) => ({ name, text: read(join('/run/remuda-lab', name)) }));
  const foreign = contents.flatMap(({ text }) => {
    const claim = /"id":"(?<id>[^"]+)","folder":"(?<folder>[^"]+)","subnet":"(?<subnet>[^"]+)"/.exec(
      text,
    )?.groups;
    if (claim === undefined || (claim['folder'] ?? '').startsWith(ownLabs)) return [];
    return [claim['id'] ?? '', claim['folder'] ?? '', (claim['subnet'] ?? '').replace(/0\/24$/, '')];
  });
  const groupOf = (text: string): string => read(`/proc/${/^process (\d+)/.exec(text)?.[1] ?? ''}/cgroup`);
  const found = [
    ...read('/proc/self/mountinfo')
      .split('\n')
      .map((line) => `mount ${line}`),
    ...cards().map((name) => `card ${name}`),
    ...lines('ip', '-4', 'route', 'show', 'table', 'all').map((line) => `route ${line}`),
    ...lines('find', '/sys/fs/cgroup', '-type', 'd', '-path', '*remuda-lab*').map((line) => `group ${line}`),
    ...contents
      .filter(({ name }) => name.endsWith('.claim'))
      .map(({ name, text }) => `claim ${name} ${text}`),
    ...housed().filter((text) => groupOf(text).includes('remuda-lab')),
  ];
  const isForeign = (entry: string): boolean =>
    foreign.some((mark) => mark !== '' && (entry.includes(mark) || groupOf(entry).includes(mark)));
  return new Set(found.filter((entry) => !isForeign(entry)));
}

/** What is there now and was not before. */
export const addedTo = (before: ReadonlySet<string>, after: ReadonlySet<string>): string[] =>
  [...after].filter((entry) => !before.has(entry));

/** Ids and subnets of a site's labs, to look for their traces when their records are gone. */
export const labsOf = (folder: string): { id: string; subnet: string }[] => labsIn(folder);
