import type { RunMachine } from './machines.ts';

/** Size of a machine's card; it gets narrower where that keeps a role in one row. */
export const card = { width: 200, narrow: 148, height: 64, gap: 12 } as const;
/** Size of a machine's cell where there are too many for cards. */
export const cell = { size: 18, gap: 4 } as const;
/** Machines of one role that get cards; more get cells. */
const mostCards = 24;
const labelHeight = 24;
const rowGap = 14;
const pillHeight = 36;
/** Room beside the machines for the name of their role; narrower pictures have it above them. */
const gutter = 96;
const widthWithGutter = 640;

/** A machine at its place. */
export interface PlacedMachine {
  readonly machine: RunMachine;
  readonly x: number;
  readonly y: number;
}

/** Machines of one role, in rows. */
export interface PlacedRole {
  readonly title: string;
  readonly isCells: boolean;
  /** Width of a card. */
  readonly cardWidth: number;
  readonly labelY: number;
  readonly machines: readonly PlacedMachine[];
  readonly bottom: number;
}

/** The whole picture for a width, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly pill: { readonly x: number; readonly y: number; readonly height: number } | undefined;
  readonly roles: readonly PlacedRole[];
}

/** Places the endpoint on top, the masters below it, then machines of etcd alone, then the workers. */
export function layoutOf(machines: readonly RunMachine[], hasEndpoint: boolean, width: number): Layout {
  const left = width >= widthWithGutter ? gutter : 0;
  let y = hasEndpoint ? pillHeight + rowGap : 0;
  const roles: PlacedRole[] = [];
  for (const [role, title] of [
    ['control-plane', 'Control plane'],
    ['etcd', 'etcd'],
    ['worker', 'Workers'],
  ] as const) {
    const members = machines.filter((machine) => machine.role === role);
    if (members.length === 0) continue;
    const placed = placedRole(title, members, { top: y, left, width: width - left });
    roles.push(placed);
    y = placed.bottom + rowGap;
  }
  const pill = hasEndpoint
    ? { x: left + (width - left) / 2, y: pillHeight / 2 + 1, height: pillHeight }
    : undefined;
  return { width, height: Math.max(1, y - rowGap + 2), pill, roles };
}

function placedRole(
  title: string,
  members: readonly RunMachine[],
  room: { readonly top: number; readonly left: number; readonly width: number },
): PlacedRole {
  const { top, width } = room;
  const isCells = members.length > mostCards;
  const cardWidth = Math.min(card.width, Math.max(card.narrow, fitting(members.length, width)));
  const w = isCells ? cell.size : cardWidth;
  const h = isCells ? cell.size : card.height;
  const gap = isCells ? cell.gap : card.gap;
  const most = Math.max(1, Math.floor((width + gap) / (w + gap)));
  // Rows of about equal length look calmer than full ones and a rest.
  const rows = Math.ceil(members.length / most);
  const perRow = isCells ? most : Math.ceil(members.length / rows);
  const isBeside = room.left > 0;
  const y = isBeside ? top : top + labelHeight;
  const machines = members.map((machine, index) => {
    const row = Math.floor(index / perRow);
    const inRow = isCells ? perRow : Math.min(perRow, members.length - row * perRow);
    const indent = (width - (inRow * (w + gap) - gap)) / 2;
    return { machine, x: room.left + indent + (index % perRow) * (w + gap), y: y + row * (h + gap) };
  });
  return {
    title,
    isCells,
    cardWidth,
    labelY: isBeside ? y + h / 2 + 4 : top + 14,
    machines,
    bottom: y + Math.ceil(members.length / perRow) * (h + gap) - gap,
  };
}

/** The width at which so many cards are one row. */
const fitting = (count: number, width: number): number => Math.floor((width + card.gap) / count) - card.gap;
