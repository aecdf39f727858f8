-- Claims orders whose amount PortOne is to be told; nobody else gets them before $3.
-- $1 timestamptz now, $2 limit, $3 timestamptz. Locks: the rows claimed, skipping those that a sale
-- has just now. Index: orders_to_register. Rows: at most $2; one that can be paid no more is told so.
UPDATE orders o SET register_at = $3::timestamptz
  FROM events e
 WHERE e.id = o.event_id
   AND o.id = ANY (ARRAY(
    SELECT id FROM orders WHERE register_at <= $1::timestamptz
     ORDER BY register_at LIMIT $2
       FOR NO KEY UPDATE SKIP LOCKED))
RETURNING o.id, o.merchant_uid AS "merchantUid", o.amount, o.currency,
  o.created_at AS "createdAt",
  o.status = 'held' OR o.status = 'pending' AND coalesce(e.closes_at > $1::timestamptz, true)
    AS payable
