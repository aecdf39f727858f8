-- What a decision needs to know of each order: its wishes, its live hold, its buyer's other seats.
-- $1 text[] merchant uids. Locks: none. Rows: one an order, as one JSON document.
SELECT jsonb_build_object(
  'id', o.id, 'merchantUid', o.merchant_uid, 'buyerId', o.buyer_id,
  'amount', o.amount, 'status', o.status,
  'items', (
    SELECT jsonb_agg(jsonb_build_object(
             'ticketTypeId', i.ticket_type_id, 'ticketType', t.code, 'quantity', i.quantity,
             'labels', i.labels, 'together', i.together,
             'available', t.available) ORDER BY i.id)
      FROM order_items i JOIN ticket_types t ON t.id = i.ticket_type_id
     WHERE i.order_id = o.id),
  'hold', (
    SELECT jsonb_build_object(
             'id', h.id, 'state', h.state, 'paymentId', h.payment_id,
             'createdAt', h.created_at, 'expiresAt', h.expires_at)
      FROM holds h WHERE h.order_id = o.id AND h.state <> 'ended'),
  'buyerSeats', (
    SELECT coalesce(sum(h.quantity), 0)
      FROM holds h
     WHERE h.event_id = o.event_id AND h.buyer_id = o.buyer_id
       AND h.state <> 'ended' AND h.order_id <> o.id)
) AS document
  FROM orders o WHERE o.merchant_uid = ANY ($1::text[])
