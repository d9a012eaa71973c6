import { z } from 'zod';
import type { Principal } from '../../access/principals.ts';
import { unauthenticated } from '../failure.ts';
import { defineRoute } from '../route.ts';
import { draftPresenceSchema, draftRequestSchema, draftSchema, draftViewSchema } from '../schemas/drafts.ts';

/** The caller: routes with a verb always have one. */
function known(principal: Principal | undefined): Principal {
  if (!principal) throw unauthenticated();
  return principal;
}

/** Answer files on the way: kept by the wizard, one's own and shared ones. */
export const draftRoutes = [
  defineRoute({
    id: 'draft.list',
    method: 'get',
    path: '/api/v1/drafts',
    summary: "One's own drafts, and those that are shared; newest first.",
    access: { verb: 'read', object: 'draft' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(draftViewSchema).readonly() }),
    handle: ({ drafts }, { principal }) => ({ body: { items: drafts.list(known(principal)) } }),
  }),
  defineRoute({
    id: 'draft.get',
    method: 'get',
    path: '/api/v1/drafts/{draft}',
    summary: 'One draft with its text, and who has it open. The ETag is its revision.',
    access: { verb: 'read', object: 'draft', named: 'draft' },
    mutates: false,
    status: 200,
    answer: draftSchema,
    handle({ drafts }, { principal, parameters }) {
      const draft = drafts.get(known(principal), parameters['draft'] ?? '');
      return { body: draft, revision: draft.revision };
    },
  }),
  defineRoute({
    id: 'draft.put',
    method: 'put',
    path: '/api/v1/drafts/{draft}',
    summary: 'Keeps a draft, when it is still the one that If-Match names ("0" = a new one); 412 otherwise.',
    access: { verb: 'apply', object: 'draft', named: 'draft' },
    mutates: true,
    // Every few seconds of typing would fill the audit, and nothing comes of a draft until it is applied.
    notesItself: true,
    status: 200,
    body: draftRequestSchema,
    answer: draftViewSchema,
    handle({ drafts }, { principal, parameters, body, ifRevision }) {
      const draft = drafts.put(known(principal), parameters['draft'] ?? '', body, ifRevision);
      return { body: draft, revision: draft.revision };
    },
  }),
  defineRoute({
    id: 'draft.remove',
    method: 'delete',
    path: '/api/v1/drafts/{draft}',
    summary: "Deletes one of one's own drafts.",
    access: { verb: 'delete', object: 'draft', named: 'draft' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ drafts }, { principal, parameters }) {
      drafts.remove(known(principal), parameters['draft'] ?? '');
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'draft.open',
    method: 'put',
    path: '/api/v1/drafts/{draft}/presence',
    summary: 'Says that one has it open; again every 15 s. Answers everybody who has.',
    access: { verb: 'read', object: 'draft', named: 'draft' },
    mutates: false,
    status: 200,
    answer: draftPresenceSchema,
    handle: ({ drafts }, { principal, parameters }) => ({
      body: drafts.open(known(principal), parameters['draft'] ?? ''),
    }),
  }),
  defineRoute({
    id: 'draft.close',
    method: 'delete',
    path: '/api/v1/drafts/{draft}/presence',
    summary: 'Says that one closed it.',
    access: { verb: 'read', object: 'draft', named: 'draft' },
    mutates: false,
    status: 204,
    answer: 'nothing',
    handle({ drafts }, { principal, parameters }) {
      drafts.close(known(principal), parameters['draft'] ?? '');
      return { body: undefined };
    },
  }),
];
