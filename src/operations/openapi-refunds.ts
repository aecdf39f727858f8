// The paths of the API's document that are about refunds.

import { PAGE_MAX, REFUND_STATES } from '../refunds/view-refund.ts';
import {
  bodyFaults,
  inPath,
  inQuery,
  json,
  jsonBody,
  organizer,
  type Paths,
  problems,
} from './openapi-parts.ts';

const ASKING = `Put on record at once and carried out by a worker; look at it with
\`GET /api/refunds/{id}\`. Seats come back to the sale when their money is back, not before.

Without \`amount\` and \`seats\`: all that is left, and all of the order's seats. With \`seats\` alone:
their prices. With \`amount\` alone: that much, and every seat stays.

Why not, as \`reason\` of the problem: \`unknown_order\`, \`unknown_payment\` (404); \`not_paid\`,
\`nothing_left\`, \`already_open\` with its \`id\` (409); \`several_payments\` with their \`paymentIds\`,
\`too_much\` with what is \`left\`, \`unknown_seats\`, \`seats_remain\` with the \`seats\` (422).`;

const BY_HAND = `PortOne is asked first. It is a conflict, by the problem's \`reason\`, where it has given
the money back itself (\`refunded_by_portone\`) or will (\`taken\`), or where a try may still be under way
(\`under_way\`: nothing is tried any more; ask again after \`until\`).`;

export function refundPaths(): Paths {
  const about = { parameters: [inPath('id', 'The refund.')] };
  const state = { type: 'string', enum: [...REFUND_STATES] };
  const limit = { type: 'integer', minimum: 1, maximum: PAGE_MAX, default: PAGE_MAX };
  const refund = json('Refund', 'The refund as it is now.');
  return {
    '/api/orders/{merchantUid}/refunds': {
      post: organizer({
        summary: 'Give money back: all of an order, or a part, with or without seats',
        description: ASKING,
        parameters: [inPath('merchantUid', 'The order.')],
        requestBody: jsonBody('NewRefund'),
        responses: {
          200: json('RefundAsked', 'A dry run, or the same was asked for before.'),
          202: json('RefundAsked', 'On record.'),
          ...problems('not_found', 'conflict', ...bodyFaults),
        },
      }),
    },
    '/api/events/{slug}/refunds': {
      get: organizer({
        summary: 'The refunds of an event, the newest first',
        parameters: [
          inPath('slug', 'The event.'),
          inQuery('state', state, 'Only those in this state.'),
          inQuery('limit', limit, 'Refunds a page.'),
          inQuery('after', { type: 'integer' }, '`after` of the page before.'),
        ],
        responses: { 200: json('Refunds', 'A page.'), ...problems('not_found', 'invalid_request') },
      }),
    },
    '/api/refunds/{id}': {
      get: organizer({
        summary: 'Look at a refund',
        ...about,
        responses: { 200: refund, ...problems('not_found') },
      }),
    },
    '/api/refunds/{id}/account': {
      post: organizer({
        summary: "Where a virtual account's money is to go back to; it is tried again with it",
        ...about,
        requestBody: jsonBody('RefundAccount'),
        responses: { 200: refund, ...problems('not_found', 'conflict', ...bodyFaults) },
      }),
    },
    '/api/refunds/{id}/retry': {
      post: organizer({
        summary: 'Another round of tries, where it waits for a person',
        ...about,
        responses: { 200: refund, ...problems('not_found', 'conflict') },
      }),
    },
    '/api/refunds/{id}/cancel': {
      post: organizer({
        summary: 'Withdraw a wish of your own, as long as PortOne was not asked',
        ...about,
        responses: { 200: refund, ...problems('not_found', 'conflict') },
      }),
    },
    '/api/refunds/{id}/by-hand': {
      post: organizer({
        summary: 'It was paid back outside PortOne: the refund is done, its seats are free',
        description: BY_HAND,
        ...about,
        requestBody: jsonBody('PaidByHand'),
        responses: { 200: refund, ...problems('not_found', 'conflict', ...bodyFaults) },
      }),
    },
  };
}
