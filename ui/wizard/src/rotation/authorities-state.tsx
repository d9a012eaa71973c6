import { Time } from '../time/time.tsx';
import { rotationTexts as words } from './rotation-texts.ts';
import type { Rotation } from './stages.ts';

/** In one sentence whom a cluster believes, and who signs. */
export function AuthoritiesState({ rotation }: { readonly rotation: Rotation }): React.JSX.Element {
  const { stage, since, next } = rotation;
  if (stage === undefined || since === undefined)
    return <>{next === 'drop' ? words.at.drop : words.at.none}</>;
  return (
    <>
      {words.at[stage]} <Time at={since} />.
    </>
  );
}
