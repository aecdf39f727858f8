// The paths of the API's document that are about money: the audit, an order's ledger, the cases.

import { CASES_PER_PAGE_MAX } from '../audit/schema.ts';
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

export function moneyPaths(): Paths {
  const slug = inPath('slug', 'The event.');
  return {
    '/api/events/{slug}/audit': {
      get: organizer({
        summary: "Every law's count of violations, now, and the money added up",
        parameters: [slug],
        responses: { 200: json('Audit', 'All counts zero when well.'), ...problems('not_found') },
      }),
    },
    '/api/events/{slug}/cases': {
      get: organizer({
        summary: 'What waits for the organizer: cases and refunds, the oldest first',
        parameters: [
          slug,
          inQuery('open', { type: 'boolean' }, '`true`: what waits; `false`: what is over.'),
          inQuery(
            'limit',
            { type: 'integer', minimum: 1, maximum: CASES_PER_PAGE_MAX },
            'Default 100.',
          ),
          inQuery('after', { type: 'string' }, '`next` of the page before.'),
        ],
        responses: { 200: json('Cases', 'A page.'), ...problems('not_found', 'invalid_request') },
      }),
    },
    '/api/cases/{id}/close': {
      post: organizer({
        summary: 'Close a case, and say which seats go back with the money',
        description:
          'What the seats do not account for is let stand: the ledger is square after it.',
        parameters: [inPath('id', 'The case.')],
        requestBody: jsonBody('CloseCase'),
        responses: {
          200: json('CaseClosed', 'Closed.'),
          ...problems('not_found', 'conflict', ...bodyFaults),
        },
      }),
    },
    '/api/orders/{merchantUid}/ledger': {
      get: organizer({
        summary: "An order's money and seats in double entry",
        description: 'Once `closed`, the accounts sum to zero.',
        parameters: [inPath('merchantUid', 'The order.')],
        responses: { 200: json('Ledger', 'Its entries.'), ...problems('not_found') },
      }),
    },
  };
}
