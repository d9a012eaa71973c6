import { intentAnswerSchema } from '../schemas/operation.ts';
import {
  adoptRequestSchema,
  ejectRequestSchema,
  handOverRequestSchema,
  handOverSchema,
} from '../schemas/ownership.ts';
import { planAnswerSchema } from '../schemas/plan.ts';
import { begun, planning, starting } from '../beginning.ts';
import { defineRoute } from '../route.ts';

/** Clusters that are given away, and clusters that are taken in. */
export const ownershipRoutes = [
  defineRoute({
    id: 'eject.plan',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/eject-plan',
    summary: 'What giving the cluster away would do, from a fresh look. Starts nothing.',
    access: { verb: 'plan', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    body: ejectRequestSchema,
    answer: planAnswerSchema,
    handle: async ({ engine }, request) => ({
      body: await engine.ejecting.plan({ ...request.body, ...planning(request) }),
    }),
  }),
  defineRoute({
    id: 'eject.hand-over',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/hand-over',
    summary:
      "The cluster's keys and a break-glass kubeconfig, sealed to a recipient; and all else its keeper needs.",
    access: { verb: 'eject', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    // It changes nothing; that somebody took the keys along is worth a row of the audit all the same.
    mutates: true,
    status: 200,
    body: handOverRequestSchema,
    answer: handOverSchema,
    handle: async ({ engine }, { parameters, body, by }) => {
      const asked = { ...body, cluster: parameters['cluster'] ?? '', principal: by };
      const { machines, masters, etcd, certificates, ...rest } = await engine.ejecting.handOver(asked);
      const ends = certificates.map(({ machine, name, notAfter }) => ({ machine, name, notAfter }));
      const lists = { machines: [...machines], masters: [...masters], certificates: ends };
      return { body: { ...rest, ...lists, ...(etcd === undefined ? {} : { etcd: [...etcd] }) } };
    },
  }),
  defineRoute({
    id: 'eject.start',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/eject',
    summary:
      "Gives the cluster away: it lives on, Remuda forgets it. Needs the cluster's name and the receipt.",
    access: { verb: 'eject', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 202,
    body: ejectRequestSchema,
    answer: intentAnswerSchema,
    handle: async ({ engine }, request) =>
      begun(await engine.ejecting.start({ ...request.body, ...planning(request), ...starting(request) })),
  }),
  defineRoute({
    id: 'adopt.plan',
    method: 'post',
    path: '/api/v1/adoption-plans',
    summary: 'Looks at a cluster by way of one master and compares it with the file. Changes nothing there.',
    access: { verb: 'adopt', object: 'cluster' },
    mutates: true,
    status: 200,
    body: adoptRequestSchema,
    answer: planAnswerSchema,
    handle: async ({ engine }, { body, by }) => ({
      body: await engine.importing.plan({ ...body, principal: by }),
    }),
  }),
  defineRoute({
    id: 'adopt.start',
    method: 'post',
    path: '/api/v1/adoptions',
    summary: 'Takes the cluster in. Nothing that runs is changed.',
    access: { verb: 'adopt', object: 'cluster' },
    mutates: true,
    status: 202,
    body: adoptRequestSchema,
    answer: intentAnswerSchema,
    handle: async ({ engine }, request) =>
      begun(await engine.importing.start({ ...request.body, ...starting(request) })),
  }),
];
