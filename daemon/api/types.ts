/** The API's types, for its clients: the CLI, the wizard, the console. Nothing here runs but zod. */
export * from './schemas/access.ts';
export * from './schemas/inventory.ts';
export * from './schemas/operation.ts';
export * from './schemas/plan.ts';
export * from './schemas/problem.ts';
export * from './schemas/requests.ts';
