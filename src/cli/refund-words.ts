// What the refund command says of refunds, for people.

import { NEEDS_ACCOUNT } from '../payments/refund-waits.ts';
import type { RefundView } from '../refunds/view-refund.ts';
import { print } from './command.ts';

interface Plan {
  id: number | null;
  repeat: boolean;
  paymentId: string;
  amount: number;
  whole: boolean;
  seats: string[];
}

const SEATS_SHOWN_MAX = 20;

export function showPlan(merchantUid: string, plan: Plan): void {
  if (plan.repeat) {
    print(`Refund ${plan.id} asks for the same; it is looked at again.`);
    return;
  }
  const what = plan.whole ? 'all that is left of' : 'a part of';
  print(`${won(plan.amount)}: ${what} payment ${plan.paymentId}, order ${merchantUid}`);
  const { seats } = plan;
  print(seats.length > 0 ? `Seats that go back: ${listed(seats)}` : 'No seats go back.');
}

const OUTCOME: Record<RefundView['state'], (refund: RefundView) => string> = {
  done: (r) => (r.byHand ? 'was paid back by hand' : 'is done'),
  requested: (r) => `is on its way${r.lastError ? ` (${r.lastError})` : ''}; the service goes on`,
  failed: (r) => `failed: ${r.lastError ?? 'no reason is known'}`,
  needs_person: (r) =>
    r.lastError === NEEDS_ACCOUNT
      ? "needs the buyer's account: --id with --bank, --account and --holder"
      : `needs a person: ${r.lastError ?? 'no reason is known'}`,
};

export function showOutcome(refund: RefundView): void {
  const { id, amount, merchantUid, state } = refund;
  print(`Refund ${id}, ${won(amount)} of order ${merchantUid}, ${OUTCOME[state](refund)}.`);
}

export function showOpen(refunds: RefundView[], more: boolean): void {
  if (refunds.length === 0) print('No refund is open.');
  for (const refund of refunds) {
    const { id, event, merchantUid, amount, state, reason, lastError } = refund;
    print(
      `${String(id).padStart(6)}  ${state.padEnd(13)} ${won(amount).padStart(16)}  ${event}  order ${merchantUid}  ${reason}${lastError ? `: ${lastError}` : ''}`,
    );
  }
  if (more) print('... and more: add --event.');
}

export function won(amount: number): string {
  return `${amount.toLocaleString('en-US')} KRW`;
}

function listed(seats: string[]): string {
  const shown = seats.slice(0, SEATS_SHOWN_MAX).join(', ');
  return seats.length > SEATS_SHOWN_MAX ? `${shown}, ... (${seats.length} in all)` : shown;
}
