-- What charging a payment needs to know of its order: how much, the live hold, and what PortOne
-- answered before. $1 merchant uid, $2 payment id. Locks: none.
-- Index: orders_merchant_uid_key, payment_steps_order_id_idx. Rows: 0 or 1, as JSON.
SELECT jsonb_build_object(
  'orderId', o.id, 'amount', o.amount, 'currency', o.currency,
  'hold', (
    SELECT jsonb_build_object('id', h.id, 'state', h.state, 'paymentId', h.payment_id,
                              'expiresAt', h.expires_at)
      FROM holds h WHERE h.order_id = o.id AND h.state <> 'ended'),
  'answers', (
    SELECT coalesce(jsonb_object_agg(s.step, s.detail), '{}') FROM payment_steps s
     WHERE s.order_id = o.id AND s.payment_id = $2 AND s.step IN ('charged', 'charge_refused'))
) AS document
  FROM orders o WHERE o.merchant_uid = $1
