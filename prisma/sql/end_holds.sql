-- Ends live holds and frees their seats; the only statement that does.
-- $1 uuid[] holds, $2 timestamptz now, $3 actor, $4 reason, $5 the orders' next status,
-- $6 text[] parallel to $1, null: any payment; else only where this payment still holds,
-- $7 bool: only where no 200 was ever written, $8 timestamptz | null: only if expired by then,
-- $9 text[] states that may be ended, $10 timestamptz | null: with $7, the instant of a mark whose
-- 200 was not written after all. Locks: holds, seats, orders. Rows: one a seat freed.
WITH target AS (
  SELECT h.id, h.order_id
    FROM unnest($1::uuid[], $6::text[])
           AS t (id, payment_id)
    JOIN holds h ON h.id = t.id
   WHERE h.state = ANY ($9::text[])
     AND (t.payment_id IS NULL OR h.payment_id = t.payment_id)
     AND (NOT $7::bool OR h.answered_at IS NULL OR h.answered_at = $10::timestamptz)
     AND ($8::timestamptz IS NULL OR h.expires_at <= $8::timestamptz)
   ORDER BY h.id
     FOR UPDATE OF h),
ended AS (
  UPDATE holds h SET state = 'ended', ended_at = $2::timestamptz, ended_why = $4
    FROM target WHERE h.id = target.id
  RETURNING h.id, h.order_id),
freed AS (
  UPDATE seats s SET state = 'available', hold_id = NULL, moved_by = $3, moved_why = $4,
                     moved_at = $2::timestamptz
    FROM ended WHERE s.hold_id = ended.id
  RETURNING s.id, s.label, s.ticket_type_id, ended.id AS hold_id),
reopened AS (
  UPDATE orders o SET status = $5 FROM ended WHERE o.id = ended.order_id
  RETURNING o.id)
SELECT freed.hold_id AS "holdId", freed.label, freed.ticket_type_id AS "ticketTypeId"
  FROM freed
