-- Says, before any 200 is written, that one is about to be: from here on a charge is possible.
-- $1 jsonb [{holdId, paymentId}], $2 timestamptz now. Locks: the holds. Rows: the holds that live.
UPDATE holds h SET answered_at = coalesce(h.answered_at, $2::timestamptz)
  FROM jsonb_to_recordset($1::jsonb) AS a ("holdId" uuid, "paymentId" text)
 WHERE h.id = a."holdId" AND h.payment_id = a."paymentId" AND h.state <> 'ended'
RETURNING h.id AS "holdId", h.payment_id AS "paymentId"
