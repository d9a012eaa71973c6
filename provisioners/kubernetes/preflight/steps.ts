export { machinePreflight } from './machine-preflight.ts';
export { machinesPreflight } from './machines-preflight.ts';
