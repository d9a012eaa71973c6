/**
 * What clients may use without a server: reading and checking answer files, and their JSON Schema. The only door from
 * the CLI to `spec`.
 */
export { answerFileSchema } from '../spec/json-schema.ts';
export { resolveSources } from '../spec/resolution.ts';
export { splitDocuments } from '../spec/source.ts';
export { parseStream } from '../spec/stream.ts';
export { authorityHash, isAuthorityOf } from './authority-hash.ts';
