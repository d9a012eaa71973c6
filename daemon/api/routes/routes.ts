import type { Route } from '../route.ts';
import { accessRoutes } from './access.ts';
import { clusterRoutes } from './clusters.ts';
import { directoryRoutes } from './directories.ts';
import { fileRoutes } from './files.ts';
import { operationRoutes } from './operations.ts';
import { sealedRoutes } from './sealed.ts';
import { policyRoutes } from './policies.ts';
import { serverRoutes } from './server.ts';
import { supplyRoutes } from './supplies.ts';

/** Every address of the daemon but its own description. Router, OpenAPI and authorisation derive from this table. */
export const routeTable: readonly Route[] = [
  ...serverRoutes,
  ...fileRoutes,
  ...clusterRoutes,
  ...operationRoutes,
  ...supplyRoutes,
  ...accessRoutes,
  ...directoryRoutes,
  ...policyRoutes,
  ...sealedRoutes,
];
