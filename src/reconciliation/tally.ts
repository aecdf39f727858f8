// Adds a run up as it goes: findings, counts and money, within limits.

import type { Gateway } from '../portone/gateway.ts';
import type { PaymentSnapshot } from '../portone/payment.ts';
import { type Account, accountOf, hadMoney, keptOf } from './compare.ts';
import type { OurPayment } from './ours.ts';
import type { EventTotals, Finding, Money } from './report.ts';

export const FINDINGS_MAX = 1_000;
/**
 * Payments of ours remembered so that none is looked at twice; about 50 MB. Beyond it some are,
 * which costs calls, and the totals then count them twice on both sides.
 */
const REMEMBERED_MAX = 500_000;

export class Tally {
  compared = 0;
  foreign = 0;
  notAsked = 0;
  casesClosed = 0;
  left = 0;
  /** Of those, differences about which no answer was had. */
  failed = 0;
  found = 0;
  readonly findings: Finding[] = [];
  private readonly seen = new Set<string>();
  private readonly knowing = new Set<Gateway>();
  private readonly money = new Map<string, Omit<EventTotals, 'agree'>>();

  has(paymentId: string): boolean {
    return this.seen.has(paymentId);
  }

  remember(paymentId: string): void {
    if (this.seen.size < REMEMBERED_MAX) this.seen.add(paymentId);
  }

  finding(finding: Finding): void {
    this.found += 1;
    if (finding.left) this.left += 1;
    if (finding.repair === 'failed') this.failed += 1;
    if (this.findings.length < FINDINGS_MAX) this.findings.push(finding);
  }

  /**
   * Each payment once, with what both sides have of it in the end.
   * @param accepted the organizer let a difference stand: its money is not held against the totals
   */
  compare(ours: OurPayment, theirs: PaymentSnapshot | null, accepted = false): void {
    this.compared += 1;
    if (theirs) this.knowing.add(theirs.gateway);
    if (accepted) return;
    this.add(ours.event, 'portone', theirs && accountOf(theirs));
    this.add(ours.event, 'ours', ours.account);
  }

  /** Whether that version of PortOne knew any payment of ours; each has credentials of its own. */
  isKnownTo(gateway: Gateway): boolean {
    return this.knowing.has(gateway);
  }

  get totals(): EventTotals[] {
    return [...this.money.values()]
      .map((row) => ({ ...row, agree: sameMoney(row.portone, row.ours) }))
      .sort((a, b) => a.event.localeCompare(b.event) || a.currency.localeCompare(b.currency));
  }

  get agree(): boolean {
    return this.left === 0 && this.notAsked === 0 && this.totals.every((row) => row.agree);
  }

  private add(event: string, side: 'portone' | 'ours', account: Account | null): void {
    if (!account || !hadMoney(account)) return;
    const { currency } = account;
    const key = `${event} ${currency}`;
    const row = this.money.get(key) ?? { event, currency, portone: nothing(), ours: nothing() };
    this.money.set(key, row);
    row[side].paid += account.amount;
    row[side].cancelled += account.cancelledAmount;
    row[side].kept += keptOf(account);
  }
}

function nothing(): Money {
  return { paid: 0, cancelled: 0, kept: 0 };
}

function sameMoney(a: Money, b: Money): boolean {
  return a.paid === b.paid && a.cancelled === b.cancelled && a.kept === b.kept;
}
