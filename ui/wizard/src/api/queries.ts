import { QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type {
  CertificateList,
  ClusterDetail,
  ClusterView,
  EngineEvent,
  MachineView,
  OperationDetail,
  OperationView,
  PayloadView,
  ProviderView,
  Supplies,
} from '../../../../daemon/api/types.ts';
import { get, list, Refusal } from './http.ts';

/** How often lists are looked at again besides live events, milliseconds: what a lost event would cost. */
const lookAgainAfter = 30_000;

/** What was answered, kept while it is shown; live events make it look again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // An appliance may have no internet at all: the browser's own idea of "online" says nothing.
      networkMode: 'always',
      staleTime: 5_000,
      retry: (failures, error) => !(error instanceof Refusal) && failures < 3,
      refetchOnWindowFocus: true,
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

/** Keys by noun, so that an event about a noun renews all that shows it. */
export const keys = {
  clusters: ['clusters'],
  cluster: (name: string) => ['clusters', name],
  operations: ['operations'],
  operation: (id: string) => ['operations', id],
  supplies: ['supplies'],
  viewers: (draft: string) => ['viewers', draft],
} as const;

/** All clusters the person may see. */
export const useClusters = (): UseQueryResult<readonly ClusterView[]> =>
  useQuery({
    queryKey: keys.clusters,
    queryFn: ({ signal }) => list<ClusterView>('/api/v1/clusters', { signal, isBackground: true }),
    refetchInterval: lookAgainAfter,
  });

/** One cluster: what is asked and what was last seen. */
export const useCluster = (name: string): UseQueryResult<ClusterDetail> =>
  useQuery({
    queryKey: keys.cluster(name),
    queryFn: ({ signal }) =>
      get<ClusterDetail>(`/api/v1/clusters/${encodeURIComponent(name)}`, { signal, isBackground: true }),
    refetchInterval: lookAgainAfter,
  });

/** Certificates of a cluster's masters as last seen, and how far its authorities are rotated. */
export const useCertificates = (cluster: string): UseQueryResult<CertificateList> =>
  useQuery({
    queryKey: [...keys.cluster(cluster), 'certificates'],
    queryFn: ({ signal }) =>
      get<CertificateList>(`/api/v1/clusters/${encodeURIComponent(cluster)}/certificates`, {
        signal,
        isBackground: true,
      }),
  });

/** Machines of all clusters, as last seen. */
export const useMachines = (): UseQueryResult<readonly MachineView[]> =>
  useQuery({
    queryKey: [...keys.clusters, 'machines'],
    queryFn: ({ signal }) => list<MachineView>('/api/v1/machines', { signal, isBackground: true }),
    refetchInterval: lookAgainAfter,
  });

/** Operations of one cluster, newest first. */
export const useOperations = (cluster: string): UseQueryResult<readonly OperationView[]> =>
  useQuery({
    queryKey: [...keys.operations, 'of', cluster],
    queryFn: async ({ signal }) =>
      (
        await get<{ readonly items: readonly OperationView[] }>('/api/v1/operations', {
          query: { cluster, limit: 200 },
          signal,
          isBackground: true,
        })
      ).items,
  });

/** One operation with its plan and steps. */
export const useOperation = (id: string): UseQueryResult<OperationDetail> =>
  useQuery({
    queryKey: keys.operation(id),
    queryFn: ({ signal }) =>
      get<OperationDetail>(`/api/v1/operations/${encodeURIComponent(id)}`, { signal, isBackground: true }),
  });

/** Newest events that are looked at; how far steps have come is among them. */
const newestEvents = 1000;

/** What happened to one cluster lately, newest first. */
export const useClusterEvents = (cluster: string): UseQueryResult<readonly EngineEvent[]> =>
  useQuery({
    queryKey: [...keys.operations, 'events', cluster],
    queryFn: async ({ signal }) =>
      (
        await get<{ readonly items: readonly EngineEvent[] }>('/api/v1/events', {
          query: { cluster, limit: newestEvents, before: Number.MAX_SAFE_INTEGER },
          signal,
          isBackground: true,
        })
      ).items,
  });

/** Providers by name. */
export const useProviders = (): UseQueryResult<readonly ProviderView[]> =>
  useQuery({
    queryKey: [...keys.supplies, 'providers'],
    queryFn: ({ signal }) => list<ProviderView>('/api/v1/providers', { signal, isBackground: true }),
  });

/** What is on board, and what is missing. */
export const useSupplies = (): UseQueryResult<Supplies> =>
  useQuery({
    queryKey: keys.supplies,
    queryFn: ({ signal }) => get<Supplies>('/api/v1/supplies', { signal, isBackground: true }),
    refetchInterval: lookAgainAfter,
  });

/** Payloads on board of the site's agent. */
export const usePayloads = (): UseQueryResult<readonly PayloadView[]> =>
  useQuery({
    queryKey: [...keys.supplies, 'payloads'],
    queryFn: async ({ signal }) =>
      (
        await get<{ readonly items: readonly PayloadView[] }>('/api/v1/payloads', {
          signal,
          isBackground: true,
        })
      ).items,
  });
