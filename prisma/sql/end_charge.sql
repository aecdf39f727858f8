-- The charge is over and left its hold waiting: it lasts as long as it would have without the charge,
-- unless somebody else made it longer since.
-- $1 hold id, $2 payment id, $3 timestamptz until when the charge kept it, $4 timestamptz its own end.
-- Locks: the hold. Rows: none.
UPDATE holds SET expires_at = $4::timestamptz
 WHERE id = $1::uuid AND payment_id = $2 AND state = 'held'
   AND expires_at = $3::timestamptz AND $4::timestamptz < $3::timestamptz
