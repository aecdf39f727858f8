-- A live hold becomes a sale, whichever of the order's payments was paid. Each is known to one
-- version of PortOne, which is then the one to be asked.
-- $1 order id, $2 payment id, $3 timestamptz now, $4 actor, $5 reason.
-- Locks: hold, seats, order. Rows: the hold, if it was held.
WITH sold AS (
  UPDATE holds SET state = 'sold', payment_id = $2,
         gateway = coalesce((SELECT p.gateway FROM payments p WHERE p.payment_id = $2), gateway)
   WHERE order_id = $1 AND state = 'held' RETURNING id, order_id),
moved AS (
  UPDATE seats s SET state = 'sold', moved_by = $4, moved_why = $5, moved_at = $3::timestamptz
    FROM sold WHERE s.hold_id = sold.id RETURNING s.id),
paid AS (
  UPDATE orders o SET status = 'paid' FROM sold WHERE o.id = sold.order_id RETURNING o.id)
SELECT id AS "holdId", (SELECT count(*)::int FROM moved) AS seats FROM sold
