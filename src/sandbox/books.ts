/** The auditor's view: every payment, what was asked and told about it, and the money. */

import { balanceOf } from './cancel-rules.ts';
import type { Ledger, Payment } from './ledger.ts';
import type { BookEntry, Books, BookTotals, World } from './types.ts';

/** @param only one order's payments, oldest first; absent: everybody's */
export function booksOf(ledger: Ledger, only?: string): Books {
  const of = (world: World) =>
    only === undefined ? ledger.payments(world) : ledger.attemptsOf(world, only);
  const payments = [...of('v1'), ...of('v2')].map(entryOf);
  const strayCancelRequests = ledger.strayCancelRequests.map((request) => ({ ...request }));
  return { payments, strayCancelRequests, totals: totalsOf(payments, ledger.notOpened) };
}

function entryOf(payment: Payment): BookEntry {
  const everPaid = payment.paidAtMs !== null;
  return {
    dialect: payment.dialect,
    paymentId: payment.paymentId,
    merchantUid: payment.merchantUid,
    amount: payment.amount,
    currency: payment.currency,
    method: payment.method,
    test: payment.test,
    state: payment.state,
    everPaid,
    cancelledAmount: payment.cancelledAmount,
    kept: everPaid ? balanceOf(payment) : 0,
    confirms: [...payment.confirms],
    webhooks: payment.webhooks.map((webhook) => ({ ...webhook, attempts: [...webhook.attempts] })),
    cancellations: payment.cancellations.map((cancellation) => ({ ...cancellation })),
    cancelRequests: payment.cancelRequests.map((request) => ({ ...request })),
    chargeRequests: payment.chargeRequests.map((request) => ({ ...request })),
    disputes: payment.disputes.map((dispute) => ({ ...dispute })),
    history: [...payment.history],
    failReason: payment.failReason,
  };
}

function totalsOf(payments: BookEntry[], notOpened: number): BookTotals {
  const totals: BookTotals = {
    attempts: payments.length,
    notOpened,
    states: { ready: 0, paid: 0, failed: 0, cancelled: 0 },
    everPaid: 0,
    paidAmount: 0,
    cancelledAmount: 0,
    kept: 0,
    confirms: 0,
    confirmsAnswered200: 0,
  };
  for (const payment of payments) {
    totals.states[payment.state] += 1;
    totals.everPaid += payment.everPaid ? 1 : 0;
    totals.paidAmount += payment.everPaid ? payment.amount : 0;
    totals.cancelledAmount += payment.cancelledAmount;
    totals.kept += payment.kept;
    totals.confirms += payment.confirms.length;
    totals.confirmsAnswered200 += payment.confirms.filter(({ status }) => status === 200).length;
  }
  return totals;
}
