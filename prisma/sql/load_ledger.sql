-- An order's ledger, and whether anything is still awaited, as they are at one moment.
-- $1 merchant uid. Each of the view's parts finds the order by key. Locks: none.
-- Rows: 0 or 1, as JSON; an order has at most some hundreds of entries.
SELECT jsonb_build_object(
  'merchantUid', o.merchant_uid, 'event', e.slug, 'status', o.status, 'currency', o.currency,
  'entries', (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
             'account', l.account, 'entry', l.entry, 'amount', l.amount,
             'currency', l.currency, 'ref', l.ref)
             ORDER BY array_position(ARRAY['money', 'seats', 'allowance'], l.account),
                      array_position(ARRAY['paid', 'cancelled', 'refunded_by_hand', 'sold',
                                           'returned', 'part_refunded', 'accepted'], l.entry),
                      l.ref), '[]')
      FROM order_ledger l WHERE l.order_id = o.id),
  'openCases', (
    SELECT count(*) FROM cases c WHERE c.order_id = o.id AND c.closed_at IS NULL),
  'openRefunds', (
    SELECT count(*) FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
     WHERE p.order_id = o.id AND r.state IN ('requested', 'needs_person')),
  -- Of an order's attempts V2 lets one succeed: beside that one nothing comes any more.
  'onItsWay', (
    SELECT count(*) FROM payments p
     WHERE p.order_id = o.id AND p.status IN ('pending', 'waiting_deposit')
       AND NOT (p.gateway = 'v2' AND EXISTS (
         SELECT 1 FROM payments q
          WHERE q.order_id = o.id AND q.gateway = 'v2' AND q.status IN ('paid', 'cancelled'))))
) AS document
  FROM orders o JOIN events e ON e.id = o.event_id WHERE o.merchant_uid = $1
