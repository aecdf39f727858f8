-- What charging a payment needs to know of its order: how much, the live hold, when PortOne was
-- asked for it, and what it answered. $1 merchant uid, $2 payment id. Locks: none.
-- Index: orders_merchant_uid_key, payment_steps_order_id_idx. Rows: 0 or 1, as JSON.
SELECT jsonb_build_object(
  'orderId', o.id, 'amount', o.amount, 'currency', o.currency,
  'hold', (
    SELECT jsonb_build_object('id', h.id, 'state', h.state, 'paymentId', h.payment_id,
                              'expiresAt', h.expires_at)
      FROM holds h WHERE h.order_id = o.id AND h.state <> 'ended'),
  'position', (
    SELECT v.position FROM verdicts v WHERE v.payment_id = $2 AND v.order_id = o.id),
  'payment', (
    SELECT jsonb_build_object('status', p.status, 'cancelledAmount', p.cancelled_amount,
                              'flag', p.flag)
      FROM payments p WHERE p.payment_id = $2 AND p.order_id = o.id),
  'askedAt', (
    SELECT max(s.at) FROM payment_steps s
     WHERE s.order_id = o.id AND s.payment_id = $2 AND s.step = 'charge_asked'),
  'answers', (
    SELECT coalesce(jsonb_object_agg(s.step, s.detail), '{}') FROM payment_steps s
     WHERE s.order_id = o.id AND s.payment_id = $2 AND s.step IN ('charged', 'charge_refused'))
) AS document
  FROM orders o WHERE o.merchant_uid = $1
