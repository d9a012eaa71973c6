import { z } from 'zod';
import { noSuch, unreadable } from '../failure.ts';
import { defineRoute } from '../route.ts';
import { directoryCheckSchema, directoryRequestSchema, directoryViewSchema } from '../schemas/directories.ts';

const unknown = (name: string): Error => noSuch('directory', name, 'See `remuda directory list`.');

/** Names of directories are parts of names of people. */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** LDAP directories by which people sign in. */
export const directoryRoutes = [
  defineRoute({
    id: 'directory.list',
    method: 'get',
    path: '/api/v1/directories',
    summary: 'Directories by name.',
    access: { verb: 'read', object: 'directory' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(directoryViewSchema).readonly() }),
    handle: ({ directories }) => ({ body: { items: directories.list() } }),
  }),
  defineRoute({
    id: 'directory.get',
    method: 'get',
    path: '/api/v1/directories/{directory}',
    summary: 'One directory as it was set.',
    access: { verb: 'read', object: 'directory', named: 'directory' },
    mutates: false,
    status: 200,
    answer: directoryViewSchema,
    handle({ directories }, { parameters }) {
      const name = parameters['directory'] ?? '';
      const found = directories.get(name);
      if (found === undefined) throw unknown(name);
      return { body: found };
    },
  }),
  defineRoute({
    id: 'directory.set',
    method: 'put',
    path: '/api/v1/directories/{directory}',
    summary: 'Makes or changes a directory. Nothing is asked of it: see its test.',
    access: { verb: 'administer', object: 'directory', named: 'directory' },
    mutates: true,
    status: 200,
    body: directoryRequestSchema,
    answer: directoryViewSchema,
    handle({ directories }, { parameters, body, by }) {
      const name = parameters['directory'] ?? '';
      if (!namePattern.test(name))
        throw unreadable('the name of a directory is lower-case letters, digits and dashes');
      return { body: directories.set(name, body, by) };
    },
  }),
  defineRoute({
    id: 'directory.remove',
    method: 'delete',
    path: '/api/v1/directories/{directory}',
    summary: 'Nobody signs in by this directory any more.',
    access: { verb: 'administer', object: 'directory', named: 'directory' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ directories }, { parameters }) {
      const name = parameters['directory'] ?? '';
      if (!directories.remove(name)) throw unknown(name);
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'directory.test',
    method: 'post',
    path: '/api/v1/directories/{directory}/test',
    summary: "Walks the way of a sign-in with nobody's name, and answers a code, never what the server said.",
    access: { verb: 'administer', object: 'directory', named: 'directory' },
    mutates: true,
    status: 200,
    answer: directoryCheckSchema,
    async handle({ directories }, { parameters }) {
      const name = parameters['directory'] ?? '';
      const check = await directories.test(name);
      if (check === undefined) throw unknown(name);
      return { body: check };
    },
  }),
];
