// Each of the ten laws beside what this sale shows of it; what it cannot show is said as plainly.

import type { Figures } from './figures.ts';

export interface LawShown {
  law: string;
  says: string;
  /** null: a sale in which nothing breaks cannot show it. */
  held: boolean | null;
  shown: string;
}

const MONEY_LAWS = [
  'paidWithoutSeat',
  'soldWithoutPayment',
  'wrongAmounts',
  'refundsStuck',
  'refundsTwice',
  'seatsFreedUnrefunded',
  'moneyAstray',
  'eventMoneyAstray',
] as const;

const won = (amount: number) => `${amount.toLocaleString('en-US')} won`;

export function lawsShown(figures: Figures): LawShown[] {
  const { answers, money } = figures;
  const none = (...keys: (keyof Figures['events'][number]['audit'])[]) =>
    figures.events.every((event) => keys.every((key) => event.audit[key] === 0));
  const law = (name: string, says: string, held: boolean | null, shown: string): LawShown => {
    return { law: name, says, held, shown };
  };
  return [
    law(
      'L1',
      'No oversell',
      none('oversold', 'orphanHolds', 'countsAstray') &&
        figures.events.every((event) => event.sold + event.held <= event.seats),
      `${figures.totals.sold.toLocaleString('en-US')} of ${figures.totals.seats.toLocaleString('en-US')} seats sold, none of them twice, by the record of moves and by the paid orders.`,
    ),
    law(
      'L2',
      'One verdict a payment',
      none('foreignHolds') && answers.disagreeing === 0,
      `${answers.repeated} payments were asked about again; ${answers.disagreeing} heard a different yes.`,
    ),
    law(
      'L3',
      'Verdict or void',
      none('unansweredHolds') && answers.late === 0,
      `${figures.totals.hungUp} callers hung up and left no hold behind; ${answers.late} answers came late.`,
    ),
    law(
      'L4',
      'First come, first served',
      none('positionGaps'),
      'Positions have no gaps. Whether anybody was overtaken is for npm test to say.',
    ),
    law('L5', 'No event starves another', null, starving(figures)),
    law(
      'L6',
      'No seat is sold again while its payment may have succeeded',
      none('overdueHolds') && money.paidInTimeLost === 0,
      `${money.paidInTimeLost} payments approved within their hold lost their seats.`,
    ),
    law(
      'L7',
      'No money without a seat',
      none(...MONEY_LAWS) && money.agrees && money.totals.agrees,
      `${money.kept} payments kept for ${money.paidOrders} paid orders, ${money.partBack} of them less a part; ${money.refunded} given back. ${won(money.totals.kept)} kept, here and by PortOne's books.`,
    ),
    law(
      'L8',
      'Nothing accepted is lost',
      money.agrees ? null : false,
      'No process was killed here; npm test kills them. Lost and late webhooks were made up for.',
    ),
    law('L9', 'Postgres is the truth', null, 'Nothing was taken away here; npm test does that.'),
    law(
      'L10',
      'Everything that moves a seat is on record',
      none('seatsWithoutMove', 'ordersAstray'),
      'The state of every seat follows from its record.',
    ),
  ];
}

function starving(figures: Figures): string {
  const [hot, ...others] = figures.events;
  if (!hot || others.length === 0) return 'Only one event was on sale.';
  const list = others.map((event) => `${event.name} ${Math.round(event.latencyMs.p95)} ms`);
  return `p95 of a verdict: ${hot.name}, the hot one, ${Math.round(hot.latencyMs.p95)} ms; ${list.join(', ')}.`;
}
