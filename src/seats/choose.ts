// Chooses seats for parties in order of arrival: the same pool and the same orders always give the same seats.

/** One free seat of a ticket type, as read from the database in rank order (best first). */
export interface FreeSeat {
  id: number;
  ticketTypeId: number;
  label: string;
  rank: number;
  /** section+row, or null for general admission */
  rowKey: string | null;
  /** place within the row; neighbours differ by exactly 1 */
  place: number | null;
}

export interface SeatWish {
  ticketTypeId: number;
  quantity: number;
  /** exact labels asked for, or null */
  labels: string[] | null;
  /** true: refuse rather than seat apart; named labels and general admission are never "apart" */
  together: boolean;
}

export type SeatRefusal = 'not_enough' | 'no_adjacent_seats' | 'seat_taken';

export type SeatChoice =
  | { ok: true; seats: FreeSeat[] }
  | {
      ok: false;
      reason: SeatRefusal;
      ticketTypeId: number;
      /** labels that are gone, for seat_taken */
      labels?: string[];
      /** longest run still to be had, for no_adjacent_seats */
      largestRun?: number;
    };

type Refused = Extract<SeatChoice, { ok: false }>;

/** Steps that put taken seats back, run last to first. */
type Undo = Array<() => void>;

/** One row's seats by place; `runs` is replaced, never changed, so undoing is putting the old one back. */
interface Row {
  readonly seats: readonly FreeSeat[];
  runs: readonly Run[];
}

/** Free neighbours: `row.seats` from index `from` up to but without `to`. */
interface Run {
  readonly row: Row;
  readonly from: number;
  readonly to: number;
  /** of its best seat */
  readonly rank: number;
}

/** Seats `from`..`to` of a run; `orphans` is how many single seats taking them would leave. */
interface Block {
  readonly run: Run;
  readonly from: number;
  readonly to: number;
  readonly orphans: number;
  readonly rank: number;
}

const lengthOf = (span: { from: number; to: number }): number => span.to - span.from;

function bestRank(row: Row, from: number, to: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = from; i < to; i++) best = Math.min(best, row.seats[i]?.rank ?? best);
  return best;
}

const runOf = (row: Row, from: number, to: number): Run => ({
  row,
  from,
  to,
  rank: bestRank(row, from, to),
});

/** The better of a block found before and the best one in this run: fewest orphans, then rank. */
function betterBlock(found: Block | null, run: Run, quantity: number): Block | null {
  const left = lengthOf(run) - quantity;
  const orphans = left === 1 ? 1 : 0;
  if (left < 0 || (found && orphans > found.orphans)) return found;
  let best = found;
  for (const from of left === 0 ? [run.from] : [run.from, run.to - quantity]) {
    const to = from + quantity;
    const rank = bestRank(run.row, from, to);
    if (best && orphans === best.orphans && rank >= best.rank) continue;
    best = { run, from, to, orphans, rank };
  }
  return best;
}

/** A row split wherever two places in a row do not follow one another. */
function rowOf(unordered: FreeSeat[]): Row {
  const seats = unordered.sort((a, b) => (a.place ?? 0) - (b.place ?? 0) || a.id - b.id);
  const row: Row = { seats, runs: [] };
  const runs: Run[] = [];
  let from = 0;
  for (let to = 1; to <= seats.length; to++) {
    if (seats[to]?.place === (seats[to - 1]?.place ?? Number.NaN) + 1) continue;
    runs.push(runOf(row, from, to));
    from = to;
  }
  row.runs = runs;
  return row;
}

/** Seats without a row: sold by rank from a head that only moves back when an order is undone. */
class GeneralSeats {
  readonly #seats: FreeSeat[];
  readonly #free: Set<number>;
  #head = 0;

  constructor(seats: FreeSeat[]) {
    this.#seats = seats.sort((a, b) => a.rank - b.rank || a.id - b.id);
    this.#free = new Set(seats.map((seat) => seat.id));
  }

  get count(): number {
    return this.#free.size;
  }

  takeFirst(quantity: number, undo: Undo): FreeSeat[] {
    const headBefore = this.#head;
    undo.push(() => {
      this.#head = headBefore;
    });
    const taken: FreeSeat[] = [];
    while (taken.length < quantity) {
      const seat = this.#seats[this.#head];
      if (!seat) break;
      this.#head++;
      if (this.takeSeat(seat, undo)) taken.push(seat);
    }
    return taken;
  }

  takeSeat(seat: FreeSeat, undo: Undo): boolean {
    if (!this.#free.delete(seat.id)) return false;
    undo.push(() => this.#free.add(seat.id));
    return true;
  }
}

/** Seats in rows, kept as runs of free neighbours. */
class RowSeats {
  readonly #rows = new Map<string, Row>();
  #count = 0;

  constructor(seatsByRow: Map<string, FreeSeat[]>) {
    for (const [rowKey, seats] of seatsByRow) {
      this.#rows.set(rowKey, rowOf(seats));
      this.#count += seats.length;
    }
  }

  get count(): number {
    return this.#count;
  }

  longestRun(): number {
    let longest = 0;
    for (const row of this.#rows.values()) {
      for (const run of row.runs) longest = Math.max(longest, lengthOf(run));
    }
    return longest;
  }

  /**
   * Only the two ends of a run are considered: a party in the middle would leave two shorter runs.
   * Both ends leave the same remainder, so rank decides between them.
   */
  #bestBlock(quantity: number): Block | null {
    let best: Block | null = null;
    for (const row of this.#rows.values()) {
      for (const run of row.runs) best = betterBlock(best, run, quantity);
    }
    return best;
  }

  takeTogether(quantity: number, undo: Undo): FreeSeat[] | null {
    const block = this.#bestBlock(quantity);
    return block && this.#takeSpan(block.run, block.from, block.to, undo);
  }

  /** Whole runs, longest first; what then remains of the party is seated like a smaller party. */
  takeApart(quantity: number, undo: Undo): FreeSeat[] {
    const taken: FreeSeat[] = [];
    for (const run of this.#longestFirst()) {
      if (lengthOf(run) >= quantity - taken.length) break;
      taken.push(...this.#takeSpan(run, run.from, run.to, undo));
    }
    taken.push(...(this.takeTogether(quantity - taken.length, undo) ?? []));
    return taken;
  }

  takeSeat(seat: FreeSeat, undo: Undo): boolean {
    const row = this.#rows.get(seat.rowKey ?? '');
    const at = row?.seats.indexOf(seat) ?? -1;
    const run = row?.runs.find((candidate) => candidate.from <= at && at < candidate.to);
    if (!run) return false;
    this.#takeSpan(run, at, at + 1, undo);
    return true;
  }

  #longestFirst(): Run[] {
    const runs: Run[] = [];
    for (const row of this.#rows.values()) runs.push(...row.runs);
    return runs.sort((a, b) => lengthOf(b) - lengthOf(a) || a.rank - b.rank);
  }

  #takeSpan(run: Run, from: number, to: number, undo: Undo): FreeSeat[] {
    const { row } = run;
    const runsBefore = row.runs;
    const rest: Run[] = [];
    if (from > run.from) rest.push(runOf(row, run.from, from));
    if (run.to > to) rest.push(runOf(row, to, run.to));
    row.runs = runsBefore.flatMap((other) => (other === run ? rest : [other]));
    this.#count -= to - from;
    undo.push(() => {
      row.runs = runsBefore;
      this.#count += to - from;
    });
    return row.seats.slice(from, to);
  }
}

/** The free seats of one ticket type; a type may have rows, general admission, or both (rows are sold first). */
class TypePool {
  readonly #ticketTypeId: number;
  readonly #byLabel = new Map<string, FreeSeat>();
  readonly #general: GeneralSeats;
  readonly #rows: RowSeats;

  constructor(ticketTypeId: number, seats: FreeSeat[]) {
    this.#ticketTypeId = ticketTypeId;
    const general: FreeSeat[] = [];
    const byRow = new Map<string, FreeSeat[]>();
    for (const seat of seats) {
      this.#byLabel.set(seat.label, seat);
      if (seat.rowKey === null) general.push(seat);
      else pushTo(byRow, seat.rowKey, seat);
    }
    this.#general = new GeneralSeats(general);
    this.#rows = new RowSeats(byRow);
  }

  get count(): number {
    return this.#general.count + this.#rows.count;
  }

  /** General admission has no neighbours to be kept from, so all of it counts as one run. */
  get largestRun(): number {
    return Math.max(this.#general.count, this.#rows.longestRun());
  }

  take(wish: SeatWish, undo: Undo): SeatChoice {
    const labels = labelsOf(wish);
    return labels ? this.#takeLabels(labels, undo) : this.#takeBest(wish, undo);
  }

  #takeBest({ quantity, together }: SeatWish, undo: Undo): SeatChoice {
    if (this.count < quantity) return this.#refuse({ reason: 'not_enough' });
    const sideBySide = this.#rows.takeTogether(quantity, undo);
    if (sideBySide) return { ok: true, seats: sideBySide };
    if (this.#general.count >= quantity) {
      return { ok: true, seats: this.#general.takeFirst(quantity, undo) };
    }
    if (together) {
      return this.#refuse({ reason: 'no_adjacent_seats', largestRun: this.largestRun });
    }
    const apart = this.#rows.takeApart(quantity, undo);
    const standing = this.#general.takeFirst(quantity - apart.length, undo);
    return { ok: true, seats: [...apart, ...standing] };
  }

  #takeLabels(labels: string[], undo: Undo): SeatChoice {
    const seats: FreeSeat[] = [];
    const gone: string[] = [];
    for (const label of labels) {
      const seat = this.#byLabel.get(label);
      if (seat && this.#takeSeat(seat, undo)) seats.push(seat);
      else gone.push(label);
    }
    if (gone.length > 0) return this.#refuse({ reason: 'seat_taken', labels: gone });
    return { ok: true, seats };
  }

  #takeSeat(seat: FreeSeat, undo: Undo): boolean {
    return (seat.rowKey === null ? this.#general : this.#rows).takeSeat(seat, undo);
  }

  #refuse(why: Omit<Refused, 'ok' | 'ticketTypeId'>): Refused {
    return { ok: false, ticketTypeId: this.#ticketTypeId, ...why };
  }
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** An empty list asks for no seat in particular. */
function labelsOf(wish: SeatWish): string[] | null {
  return wish.labels && wish.labels.length > 0 ? wish.labels : null;
}

/** Orders are checked where they enter; a wish that contradicts itself here would sell the wrong number of seats. */
function assertWish(wish: SeatWish): void {
  const { quantity } = wish;
  if (!Number.isSafeInteger(quantity) || quantity < 1) {
    throw new RangeError(`quantity must be a whole number from 1, got ${quantity}`);
  }
  const named = labelsOf(wish)?.length ?? quantity;
  if (named !== quantity) {
    throw new RangeError(`${named} labels named for a quantity of ${quantity}`);
  }
}

/** The hardest to please first: named seats, then parties that must sit together, then larger ones. */
function hardestFirst(a: SeatWish, b: SeatWish): number {
  return (
    Number(labelsOf(b) !== null) - Number(labelsOf(a) !== null) ||
    Number(b.together) - Number(a.together) ||
    b.quantity - a.quantity
  );
}

/** The pool one batch of orders is served from; not shared between batches. */
export class FreeSeats {
  readonly #pools = new Map<number, TypePool>();

  /** A seat given twice (a window and a named seat may overlap) counts once. */
  constructor(seats: Iterable<FreeSeat>) {
    const byType = new Map<number, FreeSeat[]>();
    const seen = new Set<number>();
    for (const seat of seats) {
      if (seen.has(seat.id)) continue;
      seen.add(seat.id);
      pushTo(byType, seat.ticketTypeId, seat);
    }
    for (const [ticketTypeId, ofType] of byType) {
      this.#pools.set(ticketTypeId, new TypePool(ticketTypeId, ofType));
    }
  }

  /** All wishes of one order or none; when ok the seats leave the pool and are listed in the order of the wishes. */
  take(wishes: SeatWish[]): SeatChoice {
    for (const wish of wishes) assertWish(wish);
    const undo: Undo = [];
    const seatsOf = new Map<SeatWish, FreeSeat[]>();
    const copies = wishes.map((wish) => ({ ...wish }));
    for (const wish of copies.toSorted(hardestFirst)) {
      const choice = this.#pool(wish.ticketTypeId).take(wish, undo);
      if (!choice.ok) {
        for (const step of undo.reverse()) step();
        return choice;
      }
      seatsOf.set(wish, choice.seats);
    }
    return { ok: true, seats: copies.flatMap((wish) => seatsOf.get(wish) ?? []) };
  }

  count(ticketTypeId: number): number {
    return this.#pool(ticketTypeId).count;
  }

  /** True if a party of that size could sit together in what is loaded. */
  hasRun(ticketTypeId: number, quantity: number): boolean {
    return this.#pool(ticketTypeId).largestRun >= quantity;
  }

  #pool(ticketTypeId: number): TypePool {
    return this.#pools.get(ticketTypeId) ?? new TypePool(ticketTypeId, []);
  }
}
