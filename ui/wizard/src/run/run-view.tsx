/** Live view of one operation. A placeholder until the run view comes. */
export function RunView({ operation }: { readonly operation: string }): React.JSX.Element {
  return <p>Operation {operation}</p>;
}
