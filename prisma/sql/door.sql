-- What the door must know of a request before it may queue; read only, a whole batch at once.
-- $1 text[] merchant uids. Rows: one an order that exists, as JSON.
SELECT jsonb_build_object(
  'orderId', o.id, 'merchantUid', o.merchant_uid, 'buyerId', o.buyer_id, 'amount', o.amount,
  'status', o.status, 'held', EXISTS (
    SELECT 1 FROM holds h WHERE h.order_id = o.id AND h.state = 'held'),
  'items', (
    SELECT jsonb_agg(jsonb_build_object(
             'ticketTypeId', t.id, 'ticketType', t.code, 'quantity', i.quantity,
             'labels', i.labels, 'available', t.available) ORDER BY i.id)
      FROM order_items i JOIN ticket_types t ON t.id = i.ticket_type_id
     WHERE i.order_id = o.id),
  'event', jsonb_build_object(
    'id', e.id, 'slug', e.slug, 'language', e.language, 'opensAt', e.opens_at,
    'closesAt', e.closes_at, 'maxPerOrder', e.max_per_order,
    'check', CASE WHEN e.check_url IS NULL THEN NULL ELSE jsonb_build_object(
      'url', e.check_url, 'secret', e.check_secret, 'timeoutMs', e.check_timeout_ms,
      'onSilence', e.check_on_silence) END)
) AS document
  FROM orders o JOIN events e ON e.id = o.event_id
 WHERE o.merchant_uid = ANY ($1::text[])
