-- The live hold of an order if each payment that was ever let on to it was refused by PortOne: one
-- whose answer is not known may have been charged. A payment that takes the hold over after this
-- look changes the hold's payment, by which the caller guards its next write.
-- $1 order id. Locks: none. Index: holds_order_id_idx, verdicts_hold_id_idx. Rows: 0 or 1.
SELECT h.id, h.payment_id AS "paymentId"
  FROM holds h
 WHERE h.order_id = $1 AND h.state = 'held'
   AND NOT EXISTS (
     SELECT 1 FROM verdicts v
      WHERE v.hold_id = h.id AND v.code = 'confirmed'
        AND NOT EXISTS (
          SELECT 1 FROM payment_steps s
           WHERE s.order_id = h.order_id AND s.payment_id = v.payment_id
             AND s.step = 'charge_refused'))
