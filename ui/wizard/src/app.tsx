import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { queryClient } from './api/queries.ts';
import { Gate } from './session/gate.tsx';
import { Loading } from './shell/loading.tsx';

/** Everything behind the door comes in a second load, so that the door opens at once. */
const Inside = lazy(async () => {
  const { Inside: component } = await import('./shell/inside.tsx');
  return { default: component };
});

/** The whole wizard: the door, and what lies behind it. */
export function App(): React.JSX.Element {
  return (
    <QueryClientProvider client={queryClient}>
      <Gate>
        <Suspense fallback={<Loading />}>
          <Inside />
        </Suspense>
      </Gate>
    </QueryClientProvider>
  );
}
