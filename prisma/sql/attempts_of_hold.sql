-- Every attempt that was let on to a hold, whichever has it now.
-- $1 hold id. Locks: none. Index: verdicts_hold_id_idx. Rows: one an attempt.
SELECT v.payment_id AS "paymentId", v.gateway
  FROM verdicts v WHERE v.hold_id = $1::uuid AND v.code = 'confirmed'
