-- Claims refunds that are due; nobody else gets them before $3.
-- $1 timestamptz now, $2 limit, $3 timestamptz. Locks: the rows claimed. Index: refunds_requested.
UPDATE refunds r SET tries = r.tries + 1, next_try_at = $3::timestamptz
 WHERE r.payment_id = ANY (ARRAY(
    SELECT payment_id FROM refunds
     WHERE state = 'requested' AND next_try_at <= $1::timestamptz
     ORDER BY next_try_at LIMIT $2
       FOR UPDATE SKIP LOCKED))
RETURNING r.payment_id AS "paymentId", r.reason, r.tries,
  (SELECT p.gateway FROM payments p WHERE p.payment_id = r.payment_id) AS gateway,
  (SELECT o.merchant_uid FROM payments p JOIN orders o ON o.id = p.order_id
    WHERE p.payment_id = r.payment_id) AS "merchantUid"
