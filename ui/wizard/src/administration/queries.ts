import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type {
  AuditReceiverView,
  AuditRow,
  AuditVerification,
  DirectoryView,
  PolicyTest,
  PolicyView,
  ServiceAccountView,
  TokenView,
  UserView,
} from '../../../../daemon/api/types.ts';
import { get, post } from '../api/http.ts';

/** Keys of what administrators see; the first word is common, so that one act renews all of it. */
export const administrationKey = ['administration'] as const;
/** Rows of the audit trail that are shown at once. */
export const auditPageSize = 50;

function useItems<Item>(name: string, path: string): UseQueryResult<readonly Item[]> {
  return useQuery({
    queryKey: [...administrationKey, name],
    queryFn: async ({ signal }) =>
      (await get<{ readonly items: readonly Item[] }>(path, { signal, isBackground: true })).items,
  });
}

/** People by name. */
export const usePeople = (): UseQueryResult<readonly UserView[]> => useItems('people', '/api/v1/users');

/** Service accounts by name. */
export const useServiceAccounts = (): UseQueryResult<readonly ServiceAccountView[]> =>
  useItems('programs', '/api/v1/service-accounts');

/** Path of one service account. */
export const accountPath = (account: string): string =>
  `/api/v1/service-accounts/${encodeURIComponent(account)}`;

/** Valid tokens of a service account. */
export const useTokens = (account: string): UseQueryResult<readonly TokenView[]> =>
  useItems(`tokens of ${account}`, `${accountPath(account)}/tokens`);

/** Directories by name. */
export const useDirectories = (): UseQueryResult<readonly DirectoryView[]> =>
  useItems('directories', '/api/v1/directories');

/** Policies in force, by name. */
export const usePolicies = (): UseQueryResult<readonly PolicyView[]> =>
  useItems('policies', '/api/v1/policies');

/** What the policies in force say of every cluster. Changes nothing. */
export const usePolicyTest = (): UseQueryResult<PolicyTest> =>
  useQuery({
    queryKey: [...administrationKey, 'policy test'],
    queryFn: ({ signal }) => post<PolicyTest>('/api/v1/policies/test', {}, { signal, isBackground: true }),
  });

/** Where the audit trail goes. */
export const useReceivers = (): UseQueryResult<readonly AuditReceiverView[]> =>
  useItems('receivers', '/api/v1/audit/receivers');

/** Reads the whole hash chain: asked for when the page opens and when somebody says so, not by a timer. */
export const useVerification = (): UseQueryResult<AuditVerification> =>
  useQuery({
    queryKey: [...administrationKey, 'verification'],
    queryFn: ({ signal }) =>
      get<AuditVerification>('/api/v1/audit/verification', { signal, isBackground: true }),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });

/** The rows up to and with number `last`, at most {@link auditPageSize}, newest first. */
export const useAuditRows = (last: number): UseQueryResult<readonly AuditRow[]> =>
  useQuery({
    queryKey: [...administrationKey, 'audit', last],
    queryFn: async ({ signal }) => {
      const after = Math.max(0, last - auditPageSize);
      const page = await get<{ readonly items: readonly AuditRow[] }>('/api/v1/audit', {
        query: { after, limit: Math.max(1, last - after) },
        signal,
        isBackground: true,
      });
      return page.items.toReversed();
    },
    enabled: last > 0,
    // A row never changes.
    staleTime: Infinity,
  });
