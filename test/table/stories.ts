// What may happen to the money of one order, and how it must end, in whatever order PortOne's
// messages come.

import { requestRefund } from '../../src/payments/request-refund.ts';
import type { Final, Scene, SceneOptions } from './scene.ts';
import { PRICE } from './scene.ts';

export type Act = (scene: Scene, ids: string[]) => Promise<unknown> | unknown;

export interface Story {
  name: string;
  /** On these dialects; all of them unless told. */
  only?: 'v1' | 'v2';
  options?: Omit<SceneOptions, 'dialect'>;
  acts: Act[];
  /** The same on every dialect. */
  end: Partial<Final>;
}

const id = (ids: string[], n: number) => ids[n] ?? '';
const pay =
  (n: number, how: Parameters<Scene['pay']>[1] = {}): Act =>
  (scene, ids) =>
    scene.pay(id(ids, n), how);
/** Confirmed, then paid as said. */
const buy =
  (n: number, how: Parameters<Scene['pay']>[1] = {}): Act =>
  async (scene, ids) => {
    await scene.confirm(id(ids, n));
    await scene.pay(id(ids, n), how);
  };
const deposit =
  (n: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.deposit(id(ids, n));
const approve =
  (n: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.approve(id(ids, n));
const dispute =
  (n: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.dispute(id(ids, n));
const resolve =
  (n: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.resolveDispute(id(ids, n));
const cancel =
  (n: number, amount?: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.cancelInConsole(id(ids, n), amount);
const finish =
  (n: number): Act =>
  (scene, ids) =>
    scene.stage.sandbox.finishCancellations(id(ids, n));
/** A confirm whose payment nobody ever made. */
const forge =
  (n: number): Act =>
  (scene, ids) =>
    scene.confirm(id(ids, n));
/** Longer than any hold of a card payment; everything that comes round by the clock has come. */
const timePasses: Act = async (scene) => {
  scene.stage.pass(600_000);
  await scene.stage.turn();
  await scene.stage.turn();
};
const refund =
  (n: number, amount: number, seats: string[] = []): Act =>
  async (scene, ids) => {
    // The organizer sees the order paid before refunding it.
    await scene.stage.turn();
    await scene.stage.settleByHand(id(ids, n), scene);
    await scene.stage.database.transaction((tx) =>
      requestRefund(tx, {
        paymentId: id(ids, n),
        amount,
        whole: amount === scene.amount,
        seats,
        reason: 'wish',
        requestedBy: 'organizer:test',
        now: scene.stage.now,
      }),
    );
    await scene.stage.turn();
  };

/** Taken at once, carried out when the story says so. */
const LATER = { how: 'later', lateMs: null } as const;
const SOLD = { order: 'paid', sold: 1, kept: PRICE };
const NOTHING = { order: 'pending', sold: 0, kept: 0 };
const BACK = { order: 'refunded', sold: 0, kept: 0 };
const owed = (reason: string) => ({ refunds: [`done ${reason}`] });

export const STORIES: Story[] = [
  { name: 'card, paid', acts: [buy(0)], end: SOLD },
  { name: 'card, declined', acts: [buy(0, { buyer: 'decline' })], end: NOTHING },
  { name: 'card, window left open for ever', acts: [buy(0, { buyer: 'vanish' })], end: NOTHING },
  {
    name: 'card, left open, paid late but in time',
    acts: [buy(0, { buyer: 'vanish' }), approve(0)],
    end: SOLD,
  },
  {
    name: 'card, failed, then paid all the same',
    acts: [buy(0, { buyer: 'decline' }), approve(0)],
    end: SOLD,
  },
  {
    name: 'card, failed, then paid when the seats are gone',
    acts: [buy(0, { buyer: 'decline' }), timePasses, (s) => s.othersTakeAll(), approve(0)],
    end: { ...BACK, ...owed('no_seats_left') },
  },
  {
    name: 'card, paid after its hold was over, seats still free',
    acts: [buy(0, { buyer: 'vanish' }), timePasses, approve(0)],
    end: SOLD,
  },
  {
    name: 'card, paid after its hold was over, seats gone',
    acts: [buy(0, { buyer: 'vanish' }), timePasses, (s) => s.othersTakeAll(), approve(0)],
    end: { ...BACK, ...owed('no_seats_left') },
  },
  { name: 'paid, then cancelled in the console', acts: [buy(0), cancel(0)], end: BACK },
  {
    name: 'paid, then a part cancelled in the console',
    options: { party: 2 },
    acts: [buy(0), cancel(0, 500)],
    end: { order: 'paid', sold: 2, kept: 1_500, cases: ['partial_cancel'], balance: -500 },
  },
  {
    name: 'paid, a part cancelled, then the rest',
    options: { party: 2 },
    acts: [buy(0), cancel(0, 500), cancel(0)],
    end: BACK,
  },
  {
    name: 'paid, refunded whole by the organizer',
    acts: [buy(0), refund(0, PRICE)],
    end: { ...BACK, ...owed('wish') },
  },
  {
    name: 'paid, one seat of two refunded by the organizer',
    options: { party: 2 },
    acts: [buy(0), refund(0, PRICE, ['ga-1'])],
    end: { order: 'paid', sold: 1, kept: PRICE, ...owed('wish') },
  },
  {
    name: 'paid, a part of the price refunded by the organizer',
    acts: [buy(0), refund(0, 300)],
    end: { order: 'paid', sold: 1, kept: 700, ...owed('wish') },
  },
  {
    name: 'virtual account, deposited',
    acts: [buy(0, { method: 'vbank' }), deposit(0)],
    end: SOLD,
  },
  { name: 'virtual account, never deposited', acts: [buy(0, { method: 'vbank' })], end: NOTHING },
  {
    name: 'virtual account, deposited, cancelled in the console',
    acts: [buy(0, { method: 'vbank' }), deposit(0), cancel(0)],
    end: BACK,
  },
  {
    name: 'virtual account forbidden, closed',
    options: { virtualAccounts: 'forbid' },
    acts: [buy(0, { method: 'vbank' })],
    end: NOTHING,
  },
  {
    name: 'virtual account, never deposited, closed, and told as cancelled',
    acts: [buy(0, { method: 'vbank', closedAs: 'cancelled' })],
    end: NOTHING,
  },
  {
    name: 'virtual account forbidden, closed, and told as cancelled',
    options: { virtualAccounts: 'forbid' },
    acts: [buy(0, { method: 'vbank', closedAs: 'cancelled' })],
    end: NOTHING,
  },
  {
    name: 'virtual account forbidden, cannot be closed, deposited',
    options: { virtualAccounts: 'forbid' },
    acts: [buy(0, { method: 'vbank', closable: false }), deposit(0)],
    end: SOLD,
  },
  {
    name: 'virtual account, deposited days after its hold was over',
    acts: [
      buy(0, { method: 'vbank', dueInMs: 400_000, closable: false }),
      timePasses,
      timePasses,
      deposit(0),
    ],
    end: SOLD,
  },
  {
    name: 'virtual account, deposited late, seats gone: waits for the buyer’s account',
    acts: [
      buy(0, { method: 'vbank', dueInMs: 400_000, closable: false }),
      timePasses,
      timePasses,
      (s) => s.othersTakeAll(),
      deposit(0),
    ],
    end: {
      order: 'pending',
      sold: 0,
      kept: PRICE,
      refunds: ['needs_person no_seats_left'],
      balance: PRICE,
    },
  },
  { name: 'a forged confirm', acts: [forge(0)], end: NOTHING },
  {
    name: 'a forged confirm, and then the buyer pays',
    acts: [forge(0), buy(1)],
    end: SOLD,
  },
  {
    name: 'paid, cancelled in the console, carried out late',
    acts: [buy(0, { cancels: LATER }), cancel(0), finish(0)],
    end: BACK,
  },
  {
    name: 'paid, refunded by the organizer, carried out late',
    acts: [buy(0, { cancels: LATER }), refund(0, PRICE), finish(0)],
    end: { ...BACK, ...owed('wish') },
  },
  {
    name: 'paid, refunded by the organizer, refused twice',
    acts: [buy(0, { cancels: { refusals: 2 } }), refund(0, PRICE)],
    end: { ...BACK, ...owed('wish') },
  },
  {
    name: 'paid, refunded by the organizer, always refused',
    acts: [buy(0, { cancels: { how: 'never' } }), refund(0, PRICE)],
    end: { ...SOLD, refunds: ['failed wish'] },
  },
  {
    name: 'no confirm_url, sold out, its refund refused twice',
    acts: [(s) => s.othersTakeAll(), pay(0, { cancels: { refusals: 2 } })],
    end: { ...BACK, ...owed('no_seats_left') },
  },
  { name: 'no confirm_url, seats free', acts: [pay(0)], end: SOLD },
  {
    name: 'no confirm_url, sold out',
    acts: [(s) => s.othersTakeAll(), pay(0)],
    end: { ...BACK, ...owed('no_seats_left') },
  },
  {
    name: 'no confirm_url, the event refunds those',
    options: { bypassedPayments: 'refund' },
    acts: [pay(0)],
    end: { ...BACK, ...owed('bypassed_confirm') },
  },
  {
    name: 'less paid than the order costs',
    acts: [buy(0, { amount: 10 })],
    end: { ...BACK, ...owed('amount_mismatch') },
  },
  {
    name: 'another currency',
    acts: [buy(0, { currency: 'USD' })],
    end: { ...BACK, ...owed('amount_mismatch') },
  },
  {
    name: 'a test channel, in production',
    acts: [buy(0, { test: true })],
    end: { ...BACK, ...owed('test_payment') },
  },
  {
    name: 'two attempts: the first is declined, the second paid',
    acts: [buy(0, { buyer: 'decline' }), buy(1)],
    end: SOLD,
  },
  {
    name: 'two attempts: the first is left open, the second paid',
    acts: [buy(0, { buyer: 'vanish' }), buy(1)],
    end: SOLD,
  },
  {
    name: 'two attempts, both paid: one goes back',
    only: 'v1',
    acts: [buy(0, { buyer: 'vanish' }), buy(1), approve(0)],
    end: { ...SOLD, ...owed('paid_twice') },
  },
  {
    name: 'approval awaited, then given',
    acts: [buy(0, { buyer: 'vanish', pending: true }), approve(0)],
    end: SOLD,
  },
  {
    name: 'approval awaited for ever',
    acts: [buy(0, { buyer: 'vanish', pending: true })],
    end: NOTHING,
  },
  {
    name: 'disputed with the bank, then resolved',
    only: 'v2',
    acts: [buy(0), dispute(0), resolve(0)],
    end: SOLD,
  },
];
