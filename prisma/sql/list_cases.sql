-- What waits for the organizer, or did: cases and refunds of an event in one list, oldest first.
-- $1 event slug, $2 bool | null: only the open, or only the closed, $3 limit,
-- $4 timestamptz | null and $5 text, $6 int: the place after which to go on.
-- Index: cases_open, refunds_one_open_per_payment where only the open are asked for. Locks: none.
-- Rows: up to $3, one a case or a refund.
SELECT * FROM (
  SELECT 'case' AS source, c.id, c.kind, o.merchant_uid AS "merchantUid",
         c.payment_id AS "paymentId", p.currency, c.amount, c.accepted, c.detail,
         c.opened_at AS "since", c.closed_at AS "closedAt", c.closed_by AS "closedBy", c.note,
         NULL AS state, NULL AS "lastError", NULL AS "requestedBy"
    FROM cases c JOIN payments p ON p.payment_id = c.payment_id
    JOIN orders o ON o.id = c.order_id JOIN events e ON e.id = c.event_id
   WHERE e.slug = $1 AND ($2::bool IS NULL OR (c.closed_at IS NULL) = $2::bool)
  UNION ALL
  SELECT 'refund', r.id, 'refund', o.merchant_uid,
         r.payment_id, p.currency, r.amount, 0, r.reason,
         r.requested_at, r.done_at, NULL, r.note,
         r.state, r.last_error, r.requested_by
    FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
    JOIN orders o ON o.id = p.order_id JOIN events e ON e.id = o.event_id
   WHERE e.slug = $1
     AND ($2::bool IS NULL OR (r.state IN ('requested', 'needs_person')) = $2::bool)) waiting
 WHERE $4::timestamptz IS NULL OR (since, source, id) > ($4::timestamptz, $5::text, $6::int)
 ORDER BY since, source, id
 LIMIT $3
