import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import type { Door, SessionView } from '../../../../daemon/api/types.ts';
import { call, get, Refusal, setForgeryGuard, whenSessionEnds } from '../api/http.ts';
import { ClaimPage } from '../door/claim-page.tsx';
import { InvitationPage } from '../door/invitation-page.tsx';
import { SignInPage } from '../door/sign-in-page.tsx';
import { DoorAway } from '../door/door-away.tsx';
import { Loading } from '../shell/loading.tsx';
import { SessionContext } from './session.ts';

const sessionKey = ['session'];
const doorKey = ['door'];

/** Undefined: nobody is signed in. */
async function fetchSession(): Promise<SessionView | null> {
  try {
    const session = await get<SessionView>('/api/v1/session');
    setForgeryGuard(session.csrf);
    return session;
  } catch (error) {
    if (error instanceof Refusal && error.details.reason === 'unauthenticated') return null;
    throw error;
  }
}

/** Shows the door until somebody is signed in; the address stays, so that one arrives where one wanted to. */
export function Gate({ children }: { readonly children: ReactNode }): React.JSX.Element {
  const client = useQueryClient();
  const session = useQuery({ queryKey: sessionKey, queryFn: fetchSession, staleTime: Infinity });
  const isStranger = session.data === null;
  const door = useQuery({
    queryKey: doorKey,
    queryFn: () => get<Door>('/api/v1/door'),
    enabled: isStranger,
    staleTime: 0,
  });
  useEffect(() => whenSessionEnds(() => client.setQueryData(sessionKey, null)), [client]);
  const value = useMemo(() => {
    if (!session.data) return undefined;
    const signOut = async (): Promise<void> => {
      await call('DELETE', '/api/v1/session').catch(() => undefined);
      setForgeryGuard(undefined);
      client.setQueryData(sessionKey, null);
      // Nothing of what one person saw stays for the next at this browser.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
    };
    return { session: session.data, signOut: () => void signOut() };
  }, [client, session.data]);

  const onSignedIn = (signedIn: SessionView): void => {
    setForgeryGuard(signedIn.csrf);
    client.setQueryData(sessionKey, signedIn);
  };
  if (value) return <SessionContext.Provider value={value}>{children}</SessionContext.Provider>;
  const error = session.error ?? door.error;
  if (error) return <DoorAway error={error} onAgain={() => void client.invalidateQueries()} />;
  if (!door.data) return <Loading />;
  if (door.data.state === 'unclaimed')
    return <ClaimPage door={door.data} onSignedIn={onSignedIn} onLate={() => void door.refetch()} />;
  return <SignIn door={door.data} onSignedIn={onSignedIn} />;
}

/** With a password, or for the first time with an invitation. */
function SignIn(props: {
  readonly door: Door;
  readonly onSignedIn: (session: SessionView) => void;
}): React.JSX.Element {
  const [isInvited, setInvited] = useState(false);
  return isInvited ? (
    <InvitationPage {...props} onBack={() => setInvited(false)} />
  ) : (
    <SignInPage {...props} onInvited={() => setInvited(true)} />
  );
}
