// The paths of the API's document that are about reconciliation with PortOne's books.

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

export function reconciliationPaths(): Paths {
  const slug = inPath('slug', 'The event.');
  return {
    '/api/events/{slug}/reconcile': {
      post: organizer({
        summary: "Compare PortOne's books with ours, and mend what differs",
        description:
          'The window has 90 days at most; without one it begins with the first order. ' +
          'One run at a time: `conflict` while another one is under way. ' +
          'Where PortOne went away, 503 with the `report` of what was done.',
        parameters: [slug],
        requestBody: jsonBody('Reconcile'),
        responses: {
          200: json('Reconciliation', 'What was found and done.'),
          ...problems('not_found', 'conflict', ...bodyFaults),
        },
      }),
    },
    '/api/events/{slug}/reconciliations': {
      get: organizer({
        summary: 'What reconciliations found of this event, the newest first',
        parameters: [
          slug,
          inQuery('limit', { type: 'integer', minimum: 1, maximum: 50, default: 20 }, 'Runs.'),
          inQuery(
            'differing',
            { type: 'boolean', default: false },
            '`true`: only those that found a difference.',
          ),
        ],
        responses: {
          200: json('Reconciliations', 'By schedule and on demand.'),
          ...problems('not_found', 'invalid_request'),
        },
      }),
    },
  };
}
