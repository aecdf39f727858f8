-- Says, before any 200 is written, that one is about to be: from here on a charge is possible.
-- Alive is said as `ended_at IS NULL`, which matches no partial index: only the key leads there.
-- $1 jsonb [{holdId, paymentId, checkAt}], $2 timestamptz now. checkAt: when the payment is to be
-- looked up, or null. Locks: the holds. Rows: the holds that live.
-- Only the one caller who marked it first and alone finds $2 there again and may take it back: a
-- second caller, be it in the same batch or the same millisecond, makes the instant another.
WITH asked AS (
  SELECT a."holdId", a."paymentId", count(*) AS callers, max(a."checkAt") AS check_at
    FROM jsonb_to_recordset($1::jsonb) AS a (
      "holdId" uuid, "paymentId" text, "checkAt" timestamptz)
   GROUP BY a."holdId", a."paymentId"),
-- In the order in which holds are ended, lest two wait for each other.
target AS (
  SELECT h.id FROM asked a JOIN holds h ON h.id = a."holdId"
   ORDER BY h.id FOR NO KEY UPDATE OF h)
UPDATE holds h
   SET answered_at = CASE
         WHEN h.answered_at IS NULL AND a.callers = 1 THEN $2::timestamptz
         ELSE greatest(h.answered_at, $2::timestamptz) + interval '1 ms' END,
       check_at = a.check_at
  FROM asked a JOIN target ON target.id = a."holdId"
 WHERE h.id = a."holdId" AND h.payment_id = a."paymentId" AND h.ended_at IS NULL
   AND (h.state = 'sold' OR h.expires_at > $2::timestamptz)
RETURNING h.id AS "holdId", h.payment_id AS "paymentId"
