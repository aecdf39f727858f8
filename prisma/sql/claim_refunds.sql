-- Claims refunds that are due; nobody else gets them before $3. What each try counts up also
-- tells whoever claimed it earlier, and was slow, that it is theirs no longer.
-- $1 timestamptz now, $2 limit, $3 timestamptz, $4 id of the only one | null. Locks: the rows
-- claimed. Index: refunds_requested. Rows: one a refund.
UPDATE refunds r SET tries = r.tries + 1, next_try_at = $3::timestamptz
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE p.payment_id = r.payment_id
   AND r.id = ANY (ARRAY(
    SELECT id FROM refunds
     WHERE state = 'requested' AND next_try_at <= $1::timestamptz AND ($4::int IS NULL OR id = $4)
     ORDER BY next_try_at LIMIT $2
       FOR UPDATE SKIP LOCKED))
RETURNING r.id, r.payment_id AS "paymentId", r.amount, r.whole, r.reason,
  r.requested_by AS "requestedBy", r.requested_at AS "requestedAt", r.tries, r.refusals,
  r.last_error AS "lastError", r.in_doubt_until AS "inDoubtUntil", r.taken_at AS "takenAt",
  r.account_number IS NOT NULL AS "hasAccount",
  (SELECT coalesce(sum(b.amount), 0)::int FROM refunds b
    WHERE b.payment_id = r.payment_id AND b.by_hand AND b.state = 'done') AS "byHand",
  p.gateway, p.order_id AS "orderId", o.merchant_uid AS "merchantUid"
