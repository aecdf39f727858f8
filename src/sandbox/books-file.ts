/** Keeps the books in a file, so that a sandbox started again knows the payments of the one before. */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { resumeCancellations } from './cancel.ts';
import type { Gateway } from './gateway.ts';
import type { Payment } from './ledger.ts';
import type { CancelRequestRecord, World } from './types.ts';

/** What happened within it before a sudden death is not in the file. */
const PAUSE_MS = 250;
/** Writing takes a tenth of the time at most, however long the books are. */
const PAUSE_PER_WRITING = 10;
/** Ids given out after the last writing are not given out again. */
const IDS_LEAP = 10_000;
const WORLDS: World[] = ['v1', 'v2'];

const shelf = z.object({
  payments: z.array(z.looseObject({ paymentId: z.string(), merchantUid: z.string() })),
  registered: z.record(z.string(), z.object({ amount: z.number(), currency: z.string() })),
});
const shape = z.object({
  what: z.literal("a sandbox gateway's books"),
  version: z.literal(1),
  idsUsed: z.number().int().min(0),
  notOpened: z.number().int().min(0),
  strayCancelRequests: z.array(z.looseObject({})),
  v1: shelf,
  v2: shelf,
});

/** The file is there and cannot be used; nothing of it was touched. */
export class BooksUnreadable extends Error {}

export class BooksFile {
  readonly #gateway: Gateway;
  readonly #path: string;
  #written = '';
  #timer: NodeJS.Timeout | null = null;

  /** Takes up what the file has, if there is one. */
  constructor(gateway: Gateway, path: string) {
    this.#gateway = gateway;
    this.#path = path;
    const text = textOf(path);
    if (text !== null) this.#takeUp(text);
  }

  /** From now on the books are ours: not before the port is, for they may be another's. */
  keep(): void {
    try {
      this.#write();
    } catch (error) {
      throw new BooksUnreadable(`${this.#path}: cannot be written (${(error as Error).message})`);
    }
    // The one whose port it is goes on with what the one before had begun, and no other.
    resumeCancellations(this.#gateway);
    this.#next(PAUSE_MS);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#write();
  }

  #next(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      const startedMs = performance.now();
      this.#write();
      this.#next(Math.max(PAUSE_MS, (performance.now() - startedMs) * PAUSE_PER_WRITING));
    }, pauseMs);
    // Nobody stays for it: what is left is written when the sandbox is closed.
    this.#timer.unref();
  }

  /** Whole or not at all: a file half written would lose every payment. */
  #write(): void {
    const text = JSON.stringify(this.#contents(), null, 1);
    if (text === this.#written) return;
    const half = `${this.#path}.${process.pid}.tmp`;
    writeFileSync(half, text);
    renameSync(half, this.#path);
    this.#written = text;
  }

  #contents(): z.input<typeof shape> {
    const { ledger, ids } = this.#gateway;
    const of = (world: World) => ({
      payments: [...ledger.payments(world)].map(({ unfinished: _, ...payment }) => payment),
      registered: Object.fromEntries(ledger.registered(world)),
    });
    return {
      what: "a sandbox gateway's books",
      version: 1,
      idsUsed: ids.used,
      notOpened: ledger.notOpened,
      strayCancelRequests: ledger.strayCancelRequests.map((request) => ({ ...request })),
      v1: of('v1'),
      v2: of('v2'),
    };
  }

  #takeUp(text: string): void {
    const { ledger, ids } = this.#gateway;
    const kept = readBooks(this.#path, text);
    for (const world of WORLDS) {
      for (const said of kept[world].payments) ledger.restore(world, asLeft(said));
      for (const [merchantUid, agreed] of Object.entries(kept[world].registered)) {
        ledger.registered(world).set(merchantUid, agreed);
      }
    }
    ledger.notOpened = kept.notOpened;
    // Written by us, version and all.
    ledger.strayCancelRequests.push(
      ...(kept.strayCancelRequests as unknown as CancelRequestRecord[]),
    );
    ids.skip(kept.idsUsed + IDS_LEAP);
  }
}

/** Nobody is there any more who would send its webhooks again. */
function asLeft(said: Record<string, unknown>): Payment {
  const payment = { ...said, unfinished: [] } as unknown as Payment;
  for (const webhook of payment.webhooks) {
    if (webhook.fate === 'waiting' || webhook.fate === 'sent') webhook.fate = 'given_up';
  }
  return payment;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new BooksUnreadable(`${path}: cannot be read (${(error as Error).message})`);
  }
}

function readBooks(path: string, text: string): z.output<typeof shape> {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    throw new BooksUnreadable(
      `${path}: not the books of a sandbox of this version: name another file`,
    );
  }
}
