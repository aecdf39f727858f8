// A steady stream of confirm requests, one after another in time whatever becomes of each.

import type { HttpResult, OrderView, World } from './world.ts';

export interface Answered extends HttpResult {
  sentAt: number;
  tookMs: number;
}

export interface Stream {
  answers: Answered[];
  /** No more are sent; resolves when all have been answered. */
  stop(): Promise<Answered[]>;
}

/** Open loop: a slow answer does not slow the arrivals down. */
export function streamConfirms(world: World, orders: OrderView[], everyMs: number): Stream {
  const answers: Answered[] = [];
  const under: Promise<void>[] = [];
  let next = 0;
  const timer = setInterval(() => {
    const order = orders[next];
    next += 1;
    if (!order) return clearInterval(timer);
    const sentAt = Date.now();
    under.push(
      world.confirm(order).then((answer) => {
        answers.push({ ...answer, sentAt, tookMs: Date.now() - sentAt });
      }),
    );
  }, everyMs);
  return {
    answers,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(under);
      return answers;
    },
  };
}
