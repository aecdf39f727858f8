-- Says, before any 200 is written, that one is about to be: from here on a charge is possible.
-- Alive is said as `ended_at IS NULL`, which matches no partial index: only the key leads there.
-- $1 jsonb [{holdId, paymentId}], $2 timestamptz now. Locks: the holds. Rows: the holds that live.
-- Only the one caller who marked it first and alone finds $2 there again and may take it back: a
-- second caller, be it in the same batch or the same millisecond, makes the instant another.
WITH asked AS (
  SELECT a."holdId", a."paymentId", count(*) AS callers
    FROM jsonb_to_recordset($1::jsonb) AS a ("holdId" uuid, "paymentId" text)
   GROUP BY a."holdId", a."paymentId")
UPDATE holds h
   SET answered_at = CASE
         WHEN h.answered_at IS NULL AND a.callers = 1 THEN $2::timestamptz
         ELSE greatest(h.answered_at, $2::timestamptz) + interval '1 ms' END
  FROM asked a
 WHERE h.id = a."holdId" AND h.payment_id = a."paymentId" AND h.ended_at IS NULL
   AND (h.state = 'sold' OR h.expires_at > $2::timestamptz)
RETURNING h.id AS "holdId", h.payment_id AS "paymentId"
