import { type AuthoritySource, authoritySourceSchema } from '../../provisioners/contract/authority.ts';
import type { ClusterDocument } from './documents.ts';

/** Who signs a cluster's authorities; undefined where they sign themselves. */
export function authorityOf({ spec }: Pick<ClusterDocument, 'spec'>): AuthoritySource | undefined {
  const { authority } = spec.certificates ?? {};
  if (authority === undefined || authority.type === 'selfSigned') return undefined;
  const { type } = authority;
  const { trusted, ...section } = { trusted: undefined, ...authority[type] };
  return authoritySourceSchema.parse({
    type,
    ...section,
    ...(trusted === undefined ? {} : { trusted }),
  });
}

/** The server that a secret of an authority is given to: its host and port. An authority that is given goes nowhere. */
export const serverOfAuthority = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

/** The secret that signs, and the server it is for, where it is for one. */
export function secretOfAuthority(source: AuthoritySource): {
  readonly name: string;
  readonly destination?: string;
} {
  const name = source.credentials.secretRef;
  return source.type === 'server' ? { name, destination: serverOfAuthority(source.url) } : { name };
}
