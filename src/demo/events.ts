// Which events the demo sells: the first much hotter than the others, one of them with rows.

import type { NewSeats } from '../events/schema.ts';

export type Layout = 'standing' | 'rows' | 'bibs';

export interface EventPlan {
  slug: string;
  name: string;
  layout: Layout;
  ticketType: string;
  seats: number;
  buyers: number;
  price: number;
  hot: boolean;
  virtualAccounts: 'allow' | 'forbid';
  bypassedPayments: 'seat-if-free' | 'refund';
}

export interface Size {
  buyers: number;
  seats: number;
  events: number;
}

/** One of them is strict with whoever pays in a way of their own. */
const BILL: readonly Omit<EventPlan, 'seats' | 'buyers' | 'hot'>[] = [
  {
    slug: 'stadium-night',
    name: 'Stadium Night',
    layout: 'standing',
    ticketType: 'standing',
    price: 132_000,
    virtualAccounts: 'allow',
    bypassedPayments: 'seat-if-free',
  },
  {
    slug: 'chamber-hall',
    name: 'Chamber Hall',
    layout: 'rows',
    ticketType: 'reserved',
    price: 88_000,
    virtualAccounts: 'forbid',
    bypassedPayments: 'refund',
  },
  {
    slug: 'city-marathon',
    name: 'City Marathon',
    layout: 'bibs',
    ticketType: 'bib',
    price: 60_000,
    virtualAccounts: 'allow',
    bypassedPayments: 'seat-if-free',
  },
];

/** The hot event has half of the seats and two thirds of the buyers. */
const HOT_SEATS = 1 / 2;
const HOT_BUYERS = 2 / 3;
const ROW_LENGTH = 20;

export function planEvents({ buyers, seats, events }: Size): EventPlan[] {
  const seatShares = shares(seats, events, HOT_SEATS);
  const buyerShares = shares(buyers, events, HOT_BUYERS);
  return Array.from({ length: events }, (_, index) => {
    const act = BILL[index % BILL.length] as (typeof BILL)[number];
    const day = Math.floor(index / BILL.length) + 1;
    return {
      ...act,
      // An order's id is its event's slug and a number or two: no slug may end in one of its own.
      slug: day === 1 ? act.slug : `${act.slug}-day${day}`,
      name: day === 1 ? act.name : `${act.name}, day ${day}`,
      seats: seatShares[index] ?? 0,
      buyers: buyerShares[index] ?? 0,
      hot: index === 0,
    };
  });
}

/** Whole parts that add up, none of them zero. */
function shares(total: number, parts: number, first: number): number[] {
  if (parts === 1) return [total];
  const hot = Math.max(1, Math.min(total - (parts - 1), Math.round(total * first)));
  const rest = total - hot;
  const each = Math.floor(rest / (parts - 1));
  const spare = rest - each * (parts - 1);
  return [hot, ...Array.from({ length: parts - 1 }, (_, i) => each + (i < spare ? 1 : 0))];
}

/** The seats as the organizer's API takes them. */
export function seatsOf(event: EventPlan): NewSeats {
  const { ticketType, seats } = event;
  if (event.layout === 'bibs') return { ticketType, count: seats, labelPrefix: 'bib-' };
  if (event.layout === 'standing') return { ticketType, count: seats };
  return { ticketType, rows: rowsOf(seats) };
}

function rowsOf(seats: number): { section: string; row: string; from: number; to: number }[] {
  return Array.from({ length: Math.ceil(seats / ROW_LENGTH) }, (_, index) => ({
    section: 'Hall',
    row: String(index + 1),
    from: 1,
    to: Math.min(ROW_LENGTH, seats - index * ROW_LENGTH),
  }));
}

/** Neighbours in a row that a buyer may name, wherever `roll` (0 up to 1) lands. */
export function namedSeats(event: EventPlan, quantity: number, roll: number): string[] | null {
  const rows = rowsOf(event.seats).filter((row) => row.to >= quantity);
  const row = rows[Math.floor(roll * rows.length)];
  if (event.layout !== 'rows' || !row) return null;
  const places = row.to - quantity + 1;
  const from = 1 + Math.floor(((roll * rows.length) % 1) * places);
  return Array.from({ length: quantity }, (_, i) => `${row.section}-${row.row}-${from + i}`);
}
