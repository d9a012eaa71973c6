import { z } from 'zod';
import { verifyAudit } from '../../access/audit-verification.ts';
import { noSuch, unreadable } from '../failure.ts';
import { defineRoute } from '../route.ts';
import {
  auditAgainstSchema,
  auditReceiverRequestSchema,
  auditReceiverViewSchema,
  auditVerificationSchema,
} from '../schemas/audit.ts';

const unknown = (name: string): Error => noSuch('receiver', name, 'See `remuda audit receiver list`.');
const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether the audit trail is whole, and where it goes. Its rows: see `audit.list`. */
export const auditRoutes = [
  defineRoute({
    id: 'audit.verify',
    method: 'get',
    path: '/api/v1/audit/verification',
    summary:
      'Reads the whole hash chain; with number and hash of a row kept elsewhere, also whether it is there.',
    access: { verb: 'read', object: 'audit' },
    mutates: false,
    status: 200,
    query: auditAgainstSchema,
    answer: auditVerificationSchema,
    async handle({ audit }, { query: { number, hash } }) {
      if ((number === undefined) !== (hash === undefined))
        throw unreadable('number and hash are given together or not at all');
      const known = number === undefined || hash === undefined ? undefined : { number, hash };
      return { body: await verifyAudit(audit, known) };
    },
  }),
  defineRoute({
    id: 'audit.receivers',
    method: 'get',
    path: '/api/v1/audit/receivers',
    summary: 'Where the audit trail goes, and how far each receiver is.',
    access: { verb: 'read', object: 'audit' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(auditReceiverViewSchema).readonly() }),
    handle: ({ auditExports }) => ({ body: { items: auditExports.list() } }),
  }),
  defineRoute({
    id: 'audit.set-receiver',
    method: 'put',
    path: '/api/v1/audit/receivers/{receiver}',
    summary: 'Makes or changes a receiver; a known one goes on where it was.',
    access: { verb: 'administer', object: 'audit', named: 'receiver' },
    mutates: true,
    status: 200,
    body: auditReceiverRequestSchema,
    answer: auditReceiverViewSchema,
    handle({ auditExports }, { parameters, body, by }) {
      const name = parameters['receiver'] ?? '';
      if (!namePattern.test(name))
        throw unreadable('the name of a receiver is lower-case letters, digits and dashes');
      return { body: auditExports.set(name, body, by) };
    },
  }),
  defineRoute({
    id: 'audit.remove-receiver',
    method: 'delete',
    path: '/api/v1/audit/receivers/{receiver}',
    summary: 'Nothing more goes there; its position is forgotten.',
    access: { verb: 'administer', object: 'audit', named: 'receiver' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ auditExports }, { parameters }) {
      const name = parameters['receiver'] ?? '';
      if (!auditExports.remove(name)) throw unknown(name);
      return { body: undefined };
    },
  }),
];
