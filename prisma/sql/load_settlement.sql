-- What settling a payment needs to know of its order: wishes, live hold, a refund under way.
-- $1 merchant uid, $2 payment id. Locks: none. Rows: 0 or 1, as JSON.
SELECT jsonb_build_object(
  'id', o.id, 'eventId', o.event_id, 'amount', o.amount, 'currency', o.currency,
  'status', o.status,
  'items', (
    SELECT jsonb_agg(jsonb_build_object(
             'ticketTypeId', i.ticket_type_id, 'quantity', i.quantity,
             'labels', i.labels, 'together', i.together) ORDER BY i.id)
      FROM order_items i WHERE i.order_id = o.id),
  'hold', (
    SELECT jsonb_build_object('id', h.id, 'state', h.state, 'paymentId', h.payment_id)
      FROM holds h WHERE h.order_id = o.id AND h.state <> 'ended'),
  'refunding', EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = $2)
) AS document
  FROM orders o WHERE o.merchant_uid = $1
