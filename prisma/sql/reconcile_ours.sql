-- What we have of payments that PortOne tells of: the order, the payment, its live hold, and what
-- the event says of virtual accounts.
-- $1 text[] payment ids, $2 text[] parallel merchant uids, $3 timestamptz now. Locks: none.
-- Indexes: every key. Rows: one a pair whose order is ours.
SELECT w.payment_id AS "paymentId", o.merchant_uid AS "merchantUid", o.id AS "orderId",
       e.id AS "eventId", e.slug AS event,
       CASE WHEN p.payment_id IS NOT NULL THEN jsonb_build_object(
         'status', p.status, 'amount', p.amount, 'cancelledAmount', p.cancelled_amount,
         'currency', p.currency, 'cancelPending', p.cancel_pending) END AS account,
       p.flag, e.virtual_accounts AS "virtualAccounts", h.state AS hold,
       (extract(epoch FROM $3::timestamptz - h.created_at) * 1000)::float8 AS "holdAgeMs",
       ARRAY(SELECT c.kind FROM cases c
              WHERE c.payment_id = w.payment_id AND c.closed_at IS NULL ORDER BY c.kind) AS "openCases"
  FROM unnest($1::text[], $2::text[]) AS w (payment_id, merchant_uid)
  JOIN orders o ON o.merchant_uid = w.merchant_uid
  JOIN events e ON e.id = o.event_id
  LEFT JOIN payments p ON p.payment_id = w.payment_id AND p.order_id = o.id
  LEFT JOIN holds h ON h.order_id = o.id AND h.state <> 'ended' AND h.payment_id = w.payment_id
