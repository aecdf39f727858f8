-- Seats an order whose payment came without a live hold: straight from free to sold.
-- $1 hold id, $2 order id, $3 payment id, $4 gateway, $5 int[] seat ids, $6 timestamptz now,
-- $7 actor, $8 reason. Needs the event's lock. Locks: seats, order. Rows: one with the counts.
WITH sold AS (
  INSERT INTO holds (id, order_id, event_id, buyer_id, payment_id, gateway, quantity, state,
                     created_at, expires_at, answer_by, answered_at)
  SELECT $1::uuid, o.id, o.event_id, o.buyer_id, $3, $4, cardinality($5::int[]), 'sold',
         $6::timestamptz, $6::timestamptz, $6::timestamptz, $6::timestamptz
    FROM orders o WHERE o.id = $2
  RETURNING id),
seated AS (
  UPDATE seats s SET state = 'sold', hold_id = $1::uuid, moved_by = $7, moved_why = $8,
                     moved_at = $6::timestamptz
   WHERE s.id = ANY ($5::int[]) AND s.state = 'available' RETURNING s.id),
-- Only an order that was not called off meanwhile; one of which another payment went back may be paid.
paid AS (
  UPDATE orders SET status = 'paid' WHERE id = $2 AND status IN ('pending', 'held', 'refunded')
  RETURNING id)
SELECT (SELECT count(*)::int FROM sold) AS holds, (SELECT count(*)::int FROM seated) AS seats,
       (SELECT count(*)::int FROM paid) AS orders
