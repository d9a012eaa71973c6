import { SuppliesView } from '../../supplies/supplies-view.tsx';

/** What is on board; nothing is asked for. */
export function SuppliesStep(): React.JSX.Element {
  return <SuppliesView />;
}
