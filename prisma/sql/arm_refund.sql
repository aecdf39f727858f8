-- The last look before PortOne is asked for the money: on record from here on that it was asked.
-- $1 id, $2 tries as claimed, $3 cancelled so far by what was just read, $4 timestamptz until when
-- the claim lasts, $5 timestamptz until when the call may be carried out, unless it is answered.
-- Locks: the row. Rows: none where somebody else has it now, it was withdrawn, or more is on record
-- as cancelled than was read.
UPDATE refunds r SET cancelled_before = coalesce(r.cancelled_before, $3),
                     next_try_at = $4::timestamptz, in_doubt_until = $5::timestamptz
  FROM payments p
 WHERE r.id = $1 AND r.tries = $2 AND r.state = 'requested'
   AND p.payment_id = r.payment_id AND p.cancelled_amount <= $3
RETURNING r.account_bank AS bank, r.account_number AS number, r.account_holder AS holder,
  r.account_phone AS phone
