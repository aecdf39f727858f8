-- Takes a payment's row, so that what is told about it is written one after the other.
-- $1 payment_id, $2 merchant_uid of its order.
-- Locks: the payment's row (NO KEY UPDATE). Index: payments_pkey. Rows: 0 or 1.
SELECT p.order_id AS "orderId", o.event_id AS "eventId", p.amount - p.cancelled_amount AS "left"
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE p.payment_id = $1 AND o.merchant_uid = $2
   FOR NO KEY UPDATE OF p
