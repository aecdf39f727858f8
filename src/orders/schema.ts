// The shape in which an organizer's server registers orders.

import { z } from 'zod';

export const ORDERS_PER_CALL_MAX = 1_000;

const label = z.string().trim().min(1).max(200);

export const newOrder = z.strictObject({
  merchantUid: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/, 'printable ASCII without spaces (1 to 64); V1 takes at most 40'),
  event: z.string().min(1).max(63),
  buyer: z.strictObject({ id: z.string().trim().min(1).max(200) }),
  items: z
    .array(
      z
        .strictObject({
          ticketType: z.string().min(1).max(64),
          quantity: z.number().int().min(1).max(1_000),
          seats: z.array(label).min(1).max(1_000).optional(),
          /** Refuse rather than seat the party apart. */
          together: z.boolean().optional(),
        })
        .refine((item) => !item.seats || item.seats.length === item.quantity, {
          path: ['seats'],
          message: 'must name as many seats as quantity says',
        }),
    )
    .min(1)
    .max(50),
});

export const newOrders = z.union([newOrder, z.array(newOrder).min(1).max(ORDERS_PER_CALL_MAX)]);

export type NewOrder = z.infer<typeof newOrder>;
