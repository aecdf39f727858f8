// All V2 payments of a window of time, by a cursor that nothing moves.

import { z } from 'zod';
import type { HttpAnswer } from './http.ts';
import { GatewayUnreachable, type PaymentSnapshot } from './payment.ts';
import { errorOf, notForUs, readPayment } from './v2-payment.ts';
import { checkWindow, type Window } from './window.ts';

const PAGE_SIZE = 100;
const PAGES_MAX = 10_000;

const pageBody = z.object({
  items: z.array(z.object({ payment: z.unknown(), cursor: z.string().min(1) })),
});

type Page = z.infer<typeof pageBody>;

/** The window is about the time at which a payment began. */
export async function* listV2(
  get: (path: string) => Promise<HttpAnswer>,
  window: Window,
  onUnreadable: () => void,
): AsyncGenerator<PaymentSnapshot[]> {
  checkWindow(window);
  const range = { from: window.from.toISOString(), until: window.to.toISOString() };
  let cursor: string | undefined;
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    // The body of a GET: PortOne takes it from the query as well, which no proxy throws away.
    const body = JSON.stringify({ ...range, ...(cursor && { cursor }), size: PAGE_SIZE });
    const answer = await get(`/payments-by-cursor?requestBody=${encodeURIComponent(body)}`);
    const { items } = pageFrom(answer);
    // Should the cursor mean "from here on", its own payment comes again, and at last comes alone.
    const fresh = items.filter((item) => item.cursor !== cursor);
    if (fresh.length === 0) return;
    const payments = readable(fresh, onUnreadable);
    if (payments.length > 0) yield payments;
    cursor = fresh.at(-1)?.cursor;
  }
  throw new RangeError(`more than ${PAGES_MAX} pages in one window`);
}

function pageFrom(answer: HttpAnswer): Page {
  if (answer.status !== 200) throw notForUs(errorOf(answer));
  const parsed = pageBody.safeParse(answer.body);
  if (!parsed.success) throw new GatewayUnreachable('PortOne sent a page in an unknown shape');
  return parsed.data;
}

/** One payment that cannot be read must not hide all the others; it is read by its id as well. */
function readable(items: Page['items'], onUnreadable: () => void): PaymentSnapshot[] {
  return items.flatMap(({ payment }) => {
    if (isOfV1(payment)) return [];
    const snapshot = readPayment(payment);
    if (!snapshot) onUnreadable();
    return snapshot ?? [];
  });
}

/** V2 knows the payments of V1 as well; V1's own list has them. */
function isOfV1(payment: unknown): boolean {
  return (
    typeof payment === 'object' &&
    payment !== null &&
    'version' in payment &&
    payment.version === 'V1'
  );
}
