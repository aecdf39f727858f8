-- Claims overdue holds for one sweep; another sweep of the same moment takes others.
-- $1 timestamptz now, $2 limit, $3 timestamptz not to be claimed again before.
-- Locks: the holds claimed, skipping locked ones. Index: holds_overdue. Rows: at most $2.
UPDATE holds h SET next_ask_at = $3::timestamptz, asks = h.asks + 1
 -- As an array, so that the rows are fetched by key; joined, they may be hashed against all holds.
 WHERE h.id = ANY (ARRAY(
    SELECT id FROM holds
     WHERE state = 'held' AND expires_at <= $1::timestamptz
       AND (next_ask_at IS NULL OR next_ask_at <= $1::timestamptz)
     ORDER BY expires_at LIMIT $2
       FOR UPDATE SKIP LOCKED))
RETURNING h.id, h.order_id AS "orderId", h.payment_id AS "paymentId", h.gateway, h.asks,
  (SELECT o.merchant_uid FROM orders o WHERE o.id = h.order_id) AS "merchantUid"
