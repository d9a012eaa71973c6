/** Sealing for clients that hold the recovery key. Apart from `offline.ts`, so that no other command loads it. */
export { sealTo } from '../access/sealing.ts';
