-- What must be known of an order before a payment for it is written down.
-- $1 merchant uid, $2 payment id. Locks: none. Indexes: every key. Rows: 0 or 1.
SELECT o.id, o.event_id AS "eventId", o.amount, o.currency,
       EXISTS (SELECT 1 FROM holds h WHERE h.order_id = o.id AND h.state <> 'ended') AS "hasHold",
       EXISTS (SELECT 1 FROM verdicts v
                WHERE v.payment_id = $2 AND v.order_id = o.id AND v.code = 'confirmed') AS confirmed,
       p.status AS "statusBefore", p.flag AS "flagBefore"
  FROM orders o LEFT JOIN payments p ON p.payment_id = $2
 WHERE o.merchant_uid = $1
