-- Claims answered holds whose payment was not looked up yet; nobody else gets them before $3.
-- $1 timestamptz now, $2 limit, $3 timestamptz, $4 gateway.
-- Locks: the holds claimed, skipping locked ones. Index: holds_to_check. Rows: at most $2.
UPDATE holds h SET check_at = $3::timestamptz
 -- As an array, so that the rows are fetched by key; joined, they may be hashed against all holds.
 WHERE h.id = ANY (ARRAY(
    SELECT id FROM holds
     WHERE state = 'held' AND check_at <= $1::timestamptz
       AND answered_at IS NOT NULL AND gateway = $4
     ORDER BY check_at LIMIT $2
       FOR UPDATE SKIP LOCKED))
RETURNING h.id, h.order_id AS "orderId", h.payment_id AS "paymentId", h.gateway,
  h.doubted_at AS "doubtedAt",
  (SELECT o.merchant_uid FROM orders o WHERE o.id = h.order_id) AS "merchantUid"
