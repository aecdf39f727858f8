-- What a look at the gateway's books showed of holds: known, doubted, or not answered.
-- $1 jsonb [{id, paymentId, checkAt, doubtedAt}]; a null checkAt: nobody need look again.
-- Only while the payment that was looked up has the hold. Locks: the holds, in id order.
WITH given AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (
    id uuid, "paymentId" text, "checkAt" timestamptz, "doubtedAt" timestamptz)),
target AS (
  SELECT h.id FROM given g JOIN holds h ON h.id = g.id
   WHERE h.payment_id = g."paymentId" AND h.ended_at IS NULL
   ORDER BY h.id FOR UPDATE OF h)
UPDATE holds h SET check_at = g."checkAt", doubted_at = g."doubtedAt"
  FROM given g JOIN target ON target.id = g.id
 WHERE h.id = target.id
