import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { useEffect, useMemo, useRef, useState } from 'react';
import { standingWords, StandingShape } from './glyph.tsx';
import { MachineTable } from './machine-table.tsx';
import type { Membership, RunMachine } from './machines.ts';
import { card, cell, layoutOf, type Layout, type PlacedMachine } from './topology-layout.ts';
import { type Endpoint, membershipWords, type TopologyProps } from './topology-props.ts';

/** The machines of the run as a picture, or as a table with the same content. */
export function Topology(props: TopologyProps): React.JSX.Element {
  const [form, setForm] = useState<'picture' | 'table'>('picture');
  return (
    <section className="remuda-panel remuda-topology" aria-labelledby="remuda-topology-title">
      <div className="remuda-panel-head">
        <h2 id="remuda-topology-title">Machines</h2>
        <p className="remuda-quiet">{summaryOf(props.machines)}</p>
        <ToggleGroup aria-label="How to show the machines" isCompact>
          <ToggleGroupItem
            text="Picture"
            isSelected={form === 'picture'}
            onChange={() => setForm('picture')}
          />
          <ToggleGroupItem text="Table" isSelected={form === 'table'} onChange={() => setForm('table')} />
        </ToggleGroup>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <div className="remuda-topology-body" tabIndex={0} role="group" aria-label="Machines">
        {form === 'picture' ? <Picture {...props} /> : <MachineTable {...props} />}
      </div>
    </section>
  );
}

function Picture(props: TopologyProps): React.JSX.Element {
  const { machines, endpoint, selected, onSelect } = props;
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (box.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const layout = useMemo(
    () => layoutOf(machines, endpoint !== undefined, Math.max(width, card.width)),
    [machines, endpoint, width],
  );
  return (
    <div ref={box} className="remuda-picture">
      {width === 0 ? undefined : (
        <svg
          role="img"
          aria-label={`${summaryOf(machines)}. The table shows the same as text.`}
          width={layout.width}
          height={layout.height}
        >
          <Lines layout={layout} />
          {layout.pill === undefined || endpoint === undefined ? undefined : (
            <Pill endpoint={endpoint} at={layout.pill} />
          )}
          {layout.roles.map((role) => (
            <g key={role.title}>
              <text className="remuda-role" x={0} y={role.labelY}>
                {role.title}
              </text>
              {role.machines.map((placed) =>
                role.isCells ? (
                  <Cell key={placed.machine.name} placed={placed} />
                ) : (
                  <MachineCard
                    key={placed.machine.name}
                    placed={placed}
                    width={role.cardWidth}
                    isSelected={selected === placed.machine.name}
                    onSelect={onSelect}
                  />
                ),
              )}
            </g>
          ))}
        </svg>
      )}
    </div>
  );
}

/** From the endpoint to the masters behind it. */
function Lines({ layout }: { readonly layout: Layout }): React.JSX.Element | undefined {
  const { pill, roles } = layout;
  const [masters] = roles;
  if (pill === undefined || masters === undefined || masters.isCells) return undefined;
  const top = masters.machines.filter(({ y }) => y === masters.machines[0]?.y);
  const from = pill.y + pill.height / 2;
  return (
    <g className="remuda-lines">
      {top.map(({ machine, x, y }) => {
        const to = x + masters.cardWidth / 2;
        return (
          <path key={machine.name} d={`M${pill.x} ${from}C${pill.x} ${y - 6} ${to} ${from + 4} ${to} ${y}`} />
        );
      })}
    </g>
  );
}

function Pill(props: {
  readonly endpoint: Endpoint;
  readonly at: { readonly x: number; readonly y: number; readonly height: number };
}): React.JSX.Element {
  const { endpoint, at } = props;
  const width = Math.max(220, 7.4 * (endpoint.address.length + endpoint.detail.length) + 84);
  return (
    <g transform={`translate(${at.x - width / 2} ${at.y - at.height / 2 + 2})`} className="remuda-pill">
      <rect width={width} height={at.height - 4} rx={(at.height - 4) / 2} />
      <g transform={`translate(20 ${at.height / 2 - 2})`}>
        <StandingShape standing={endpoint.standing} />
      </g>
      <text x={36} y={at.height / 2 + 2}>
        <tspan className="remuda-strong">API {endpoint.address}</tspan>
        <tspan dx={8} className="remuda-dim">
          {endpoint.detail}
        </tspan>
      </text>
    </g>
  );
}

function MachineCard(props: {
  readonly placed: PlacedMachine;
  readonly width: number;
  readonly isSelected: boolean;
  readonly onSelect: (machine: string) => void;
}): React.JSX.Element {
  const { placed, width, isSelected, onSelect } = props;
  const { machine, x, y } = placed;
  const { name, standing, detail, done, total, membership } = machine;
  const share = total === 0 ? 1 : done / total;
  return (
    // The table offers the same choice to the keyboard.
    <g
      transform={`translate(${x} ${y})`}
      className={`remuda-machine remuda-machine-${standing}${isSelected ? ' remuda-machine-selected' : ''}`}
      onClick={() => onSelect(isSelected ? '' : name)}
    >
      <title>{tellingOf(machine)}</title>
      <rect className="remuda-machine-body" width={width} height={card.height} rx={8} />
      <g transform="translate(18 21)">
        <StandingShape standing={standing} />
      </g>
      <text x={34} y={25} className="remuda-strong">
        {cut(name, Math.floor((width - (membership === undefined ? 46 : 112)) / 7.2))}
      </text>
      {membership === undefined ? undefined : <Member membership={membership} width={width} />}
      <text x={34} y={44} className="remuda-dim">
        {cut(detail, Math.floor((width - 46) / 6.1))}
      </text>
      <rect className="remuda-bar" x={12} y={card.height - 9} width={width - 24} height={3} rx={1.5} />
      <rect
        className="remuda-bar-done"
        x={12}
        y={card.height - 9}
        width={(width - 24) * share}
        height={3}
        rx={1.5}
      />
    </g>
  );
}

/** A filled diamond for the leader, a hollow one for the others, and the word. */
function Member(props: { readonly membership: Membership; readonly width: number }): React.JSX.Element {
  const { membership, width } = props;
  const word = membership === 'unhealthy' ? 'unhealthy' : membership;
  return (
    <g className={`remuda-member remuda-member-${membership}`}>
      <path transform={`translate(${width - 20 - 6.2 * word.length} 21)`} d="M0 -5 5 0 0 5 -5 0Z" />
      <text x={width - 12} y={25} textAnchor="end">
        {word}
      </text>
    </g>
  );
}

function Cell({ placed }: { readonly placed: PlacedMachine }): React.JSX.Element {
  const { machine, x, y } = placed;
  return (
    <g transform={`translate(${x + cell.size / 2} ${y + cell.size / 2})`}>
      <title>{tellingOf(machine)}</title>
      <StandingShape standing={machine.standing} />
    </g>
  );
}

const tellingOf = ({ name, standing, detail, done, total, membership, address }: RunMachine): string =>
  [
    `${name}: ${standingWords[standing]}`,
    detail,
    `${done} of ${total} steps`,
    membership === undefined ? undefined : membershipWords[membership],
    address,
  ]
    .filter((part) => part !== undefined)
    .join(', ');

/** `3 masters and 2 workers: 4 done, 1 running`. */
export function summaryOf(machines: readonly RunMachine[]): string {
  const masters = machines.filter(({ role }) => role === 'control-plane').length;
  const etcd = machines.filter(({ role }) => role === 'etcd').length;
  const workers = machines.length - masters - etcd;
  const counts = Map.groupBy(machines, ({ standing }) => standing);
  const states = (['failed', 'waiting', 'running', 'cancelled', 'done', 'planned'] as const)
    .flatMap((standing) => {
      const count = counts.get(standing)?.length ?? 0;
      return count === 0 ? [] : [`${count} ${standingWords[standing].toLowerCase()}`];
    })
    .join(', ');
  const apart = etcd === 0 ? '' : `${etcd} of etcd, `;
  const sizes = `${masters} ${masters === 1 ? 'master' : 'masters'}, ${apart}${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  return machines.length === 0 ? 'No machines' : `${sizes} · ${states}`;
}

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
