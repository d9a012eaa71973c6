/**
 * Name of a principal for people: operations and credentials record its id, `user:maria`, `user:alice@corp` or
 * `token:ci` (daemon/access/principals.ts).
 */
export function principalName(id: string): string {
  const [kind, ...rest] = id.split(':');
  const name = rest.join(':');
  if (kind === 'user' && name !== '') return name;
  return kind === 'token' && name !== '' ? `${name} (token)` : id;
}
