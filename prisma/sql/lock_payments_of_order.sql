-- Takes the payments of an order, so that none is settled meanwhile, and no two ask for one refund.
-- $1 merchant uid. Locks: the payments' rows. Rows: one a payment.
SELECT p.payment_id AS "paymentId"
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE o.merchant_uid = $1
 ORDER BY p.payment_id
   FOR UPDATE OF p
