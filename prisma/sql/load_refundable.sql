-- What an order has to give back: money by payment, and sold seats at the order's price.
-- $1 merchant uid. Locks: none. Rows: 0 or 1, as JSON.
SELECT jsonb_build_object(
  'id', o.id,
  'payments', (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
             'paymentId', p.payment_id, 'status', p.status, 'amount', p.amount,
             'cancelledAmount', p.cancelled_amount,
             'refunds', (
               SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'id', r.id, 'state', r.state, 'amount', r.amount, 'whole', r.whole,
                        'seats', coalesce(r.seats, '{}'), 'reason', r.reason,
                        'requestedBy', r.requested_by, 'byHand', r.by_hand,
                        'doneAt', r.done_at) ORDER BY r.id DESC), '[]')
                 FROM refunds r WHERE r.payment_id = p.payment_id AND r.state <> 'failed'))
           ORDER BY p.read_at, p.payment_id), '[]')
      FROM payments p WHERE p.order_id = o.id AND p.status IN ('paid', 'cancelled')),
  'hold', (
    SELECT jsonb_build_object('paymentId', h.payment_id, 'seats', (
             SELECT coalesce(jsonb_agg(jsonb_build_object(
                      'label', s.label, 'price', order_price(o.id, s.id)) ORDER BY s.rank), '[]')
               FROM seats s WHERE s.hold_id = h.id))
      FROM holds h WHERE h.order_id = o.id AND h.state = 'sold')
) AS document
  FROM orders o WHERE o.merchant_uid = $1
