import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { load } from 'js-yaml';
import { z } from 'zod';
import { usageFailure } from './exit.ts';

/**
 * Settings in a file of YAML or JSON. `authorityFile` is replaced by `authority`: the certificate that lies there.
 * @throws CommandFailure CLI-040, CLI-041
 */
export function readSettings(path: string): Readonly<Record<string, unknown>> {
  const { authorityFile, ...rest } = mapOf(readText(path), path);
  if (authorityFile === undefined) return rest;
  return { ...rest, authority: readText(resolve(dirname(path), String(authorityFile))) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw usageFailure('CLI-040', `${path} cannot be read (${code})`, 'Give the path of a readable file.');
  }
}

function mapOf(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(load(text));
  } catch {
    throw usageFailure('CLI-041', `${path} holds no settings`, 'Write them as YAML or JSON: see the manual.');
  }
}
