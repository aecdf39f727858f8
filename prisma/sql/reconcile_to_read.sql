-- Our payments that are to be asked about by name: all that are open by the window's end, and
-- whatever was touched or confirmed in it. Kept by the session when its transaction ends, so that
-- no snapshot stays open while PortOne is asked; read on with FETCH.
-- $1 gateway, $2 event id | null: every event, $3 timestamptz from, $4 timestamptz to, $5 bool: also
-- payments that hold sold seats, however old: a cancellation that nobody told of shows nowhere else.
-- At most 20,000 of them, others each time; a house that sold more is gone through in some days.
-- Locks: none. Indexes: none fits; a scan of each table once a run. Rows: one a payment.
DECLARE reconcile_to_read CURSOR WITH HOLD FOR
WITH named AS (
  SELECT p.payment_id, p.order_id FROM payments p
   WHERE p.gateway = $1
     AND (p.status IN ('pending', 'waiting_deposit') OR p.cancel_pending
          OR p.read_at BETWEEN $3::timestamptz AND $4::timestamptz
          OR EXISTS (SELECT 1 FROM refunds r
                      WHERE r.payment_id = p.payment_id AND r.state IN ('requested', 'needs_person'))
          OR EXISTS (SELECT 1 FROM cases c
                      WHERE c.payment_id = p.payment_id AND c.closed_at IS NULL))
  UNION
  SELECT h.payment_id, h.order_id FROM holds h
   WHERE h.gateway = $1 AND h.state = 'held' AND h.answered_at IS NOT NULL
     AND h.created_at <= $4::timestamptz
  UNION
  (SELECT h.payment_id, h.order_id FROM holds h JOIN events e ON e.id = h.event_id
    WHERE $5::bool AND h.gateway = $1 AND h.state = 'sold'
      AND ($2::int IS NULL OR h.event_id = $2::int)
      AND (e.closes_at IS NULL OR e.closes_at > $4::timestamptz - interval '90 days')
    ORDER BY random() LIMIT 20000)
  UNION
  SELECT v.payment_id, v.order_id FROM verdicts v
   WHERE v.gateway = $1 AND v.code = 'confirmed'
     AND v.decided_at BETWEEN $3::timestamptz AND $4::timestamptz)
SELECT n.payment_id AS "paymentId", o.merchant_uid AS "merchantUid"
  FROM named n JOIN orders o ON o.id = n.order_id
 WHERE $2::int IS NULL OR o.event_id = $2::int
