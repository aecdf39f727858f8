-- What settling a payment needs to know of its order: wishes, live hold, policies, money moved.
-- $1 merchant uid, $2 payment id. Locks: none. Rows: 0 or 1, as JSON.
SELECT jsonb_build_object(
  'id', o.id, 'eventId', o.event_id, 'amount', o.amount, 'status', o.status,
  'items', (
    SELECT jsonb_agg(jsonb_build_object(
             'ticketTypeId', i.ticket_type_id, 'quantity', i.quantity,
             'labels', i.labels, 'together', i.together) ORDER BY i.id)
      FROM order_items i WHERE i.order_id = o.id),
  'hold', (
    SELECT jsonb_build_object('id', h.id, 'state', h.state, 'paymentId', h.payment_id,
                              'createdAt', h.created_at, 'expiresAt', h.expires_at)
      FROM holds h WHERE h.order_id = o.id AND h.state <> 'ended'),
  'buyerSeats', (
    SELECT coalesce(sum(h.quantity), 0)
      FROM holds h
     WHERE h.event_id = o.event_id AND h.buyer_id = o.buyer_id
       AND h.state <> 'ended' AND h.order_id <> o.id),
  'policy', (
    SELECT jsonb_build_object('virtualAccounts', e.virtual_accounts,
                              'virtualAccountMaxSeconds', e.virtual_account_max_seconds,
                              'bypassedPayments', e.bypassed_payments)
      FROM events e WHERE e.id = o.event_id),
  'cancelledAmount', (
    SELECT coalesce(sum(p.cancelled_amount), 0) FROM payments p WHERE p.payment_id = $2),
  -- The payment asked for its seats and was told that it has them.
  'confirmed', EXISTS (
    SELECT 1 FROM verdicts v
     WHERE v.payment_id = $2 AND v.order_id = o.id AND v.code = 'confirmed'),
  -- It was told so for the very hold that lives now, whichever attempt has it.
  'letOn', EXISTS (
    SELECT 1 FROM verdicts v JOIN holds h ON h.id = v.hold_id
     WHERE v.payment_id = $2 AND v.code = 'confirmed'
       AND h.order_id = o.id AND h.state = 'held'),
  'refunds', (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
             'id', r.id, 'state', r.state, 'amount', r.amount, 'whole', r.whole,
             'seats', coalesce(r.seats, '{}'), 'cancelledBefore', r.cancelled_before,
             'byHand', r.by_hand) ORDER BY r.id), '[]')
      FROM refunds r WHERE r.payment_id = $2 AND r.state <> 'failed'),
  -- Another attempt of the order got a 200 for the same hold, and may be charging now.
  'rivals', EXISTS (
    SELECT 1 FROM holds h JOIN verdicts v ON v.hold_id = h.id
     WHERE h.order_id = o.id AND h.state = 'held' AND v.payment_id <> $2
       AND NOT EXISTS (SELECT 1 FROM payments p
                        WHERE p.payment_id = v.payment_id AND p.status IN ('failed', 'cancelled'))
       AND NOT EXISTS (SELECT 1 FROM payment_steps s
                        WHERE s.order_id = o.id AND s.payment_id = v.payment_id
                          AND s.step = 'charge_refused')),
  -- Its seats were sold and went back by somebody who saw to the money.
  'returned', EXISTS (
    SELECT 1 FROM holds h JOIN moves m ON m.from_hold = h.id AND m.from_state = 'sold'
     WHERE h.order_id = o.id AND h.payment_id = $2 AND h.state = 'ended'),
  -- By the organizer's own word it is to have no seats any more; what is cancelled in the console is
  -- a payment, and no word about its order's other attempts.
  'calledOff', o.status = 'cancelled' OR (o.status = 'refunded' AND (
    EXISTS (SELECT 1 FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
             WHERE p.order_id = o.id AND r.state <> 'failed' AND r.requested_by LIKE 'organizer%')
    OR EXISTS (SELECT 1 FROM cases c WHERE c.order_id = o.id AND c.kind = 'partial_cancel'
                AND c.closed_by LIKE 'organizer%'))),
  -- What a person took back in the console and the organizer has seen to.
  'settledByCases', (
    SELECT coalesce(sum(c.amount), 0) FROM cases c
     WHERE c.payment_id = $2 AND c.kind = 'partial_cancel' AND c.closed_by LIKE 'organizer%'),
  'settledTwice', (
    SELECT coalesce(sum(c.amount), 0) FROM cases c
     WHERE c.payment_id = $2 AND c.kind = 'paid_back_twice' AND c.closed_at IS NOT NULL)
) AS document
  FROM orders o WHERE o.merchant_uid = $1
