import type { Route } from '../route.ts';
import { accessRoutes } from './access.ts';
import { accountRoutes } from './account.ts';
import { auditRoutes } from './audit.ts';
import { backupRoutes } from './backups.ts';
import { certificateRoutes } from './certificates.ts';
import { clusterRoutes } from './clusters.ts';
import { dayTwoRoutes } from './day-two.ts';
import { directoryRoutes } from './directories.ts';
import { credentialRoutes } from './credentials.ts';
import { doorRoutes } from './door.ts';
import { draftRoutes } from './drafts.ts';
import { fileRoutes } from './files.ts';
import { grantRoutes } from './grants.ts';
import { driftRoutes } from './drift.ts';
import { healthRoutes } from './health.ts';
import { leftoverRoutes } from './leftovers.ts';
import { operationRoutes } from './operations.ts';
import { machineChangeRoutes } from './machine-changes.ts';
import { ownershipRoutes } from './ownership.ts';
import { peopleRoutes } from './people.ts';
import { restoreRoutes } from './restores.ts';
import { rotationRoutes } from './rotations.ts';
import { sealedRoutes } from './sealed.ts';
import { policyRoutes } from './policies.ts';
import { serverRoutes } from './server.ts';
import { strayRoutes } from './strays.ts';
import { supplyRoutes } from './supplies.ts';

/** Every address of the daemon but its own description. Router, OpenAPI and authorisation derive from this table. */
export const routeTable: readonly Route[] = [
  ...serverRoutes,
  ...doorRoutes,
  ...accountRoutes,
  ...fileRoutes,
  ...clusterRoutes,
  ...machineChangeRoutes,
  ...dayTwoRoutes,
  ...restoreRoutes,
  ...rotationRoutes,
  ...ownershipRoutes,
  ...backupRoutes,
  ...certificateRoutes,
  ...healthRoutes,
  ...driftRoutes,
  ...grantRoutes,
  ...credentialRoutes,
  ...draftRoutes,
  ...operationRoutes,
  ...leftoverRoutes,
  ...strayRoutes,
  ...supplyRoutes,
  ...accessRoutes,
  ...peopleRoutes,
  ...directoryRoutes,
  ...policyRoutes,
  ...auditRoutes,
  ...sealedRoutes,
];
