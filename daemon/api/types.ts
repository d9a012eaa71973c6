/** The API's types, for its clients: the CLI, the wizard, the console. Nothing here runs but zod. */
export * from './schemas/access.ts';
export * from './schemas/audit.ts';
export * from './schemas/credentials.ts';
export * from './schemas/directories.ts';
export * from './schemas/door.ts';
export * from './schemas/drafts.ts';
export * from './schemas/health.ts';
export * from './schemas/certificates.ts';
export * from './schemas/inventory.ts';
export * from './schemas/operation.ts';
export * from './schemas/people.ts';
export * from './schemas/plan.ts';
export * from './schemas/policies.ts';
export * from './schemas/problem.ts';
export * from './schemas/requests.ts';
export * from './schemas/sealed.ts';
export * from './schemas/supplies.ts';
