-- Gives some of a sold hold's seats back; the hold lives on with the rest, or ends with the last.
-- $1 hold id, $2 text[] labels, $3 timestamptz now, $4 actor, $5 reason.
-- Only for whoever has seen to the money. Locks: hold, seats, order. Rows: one a seat freed.
WITH target AS (
  SELECT id, order_id FROM holds WHERE id = $1::uuid AND state = 'sold' FOR UPDATE),
freed AS (
  UPDATE seats s SET state = 'available', hold_id = NULL, moved_by = $4, moved_why = $5,
                     moved_at = $3::timestamptz
    FROM target WHERE s.hold_id = target.id AND s.label = ANY ($2::text[])
  RETURNING s.label),
rest AS (
  UPDATE holds h
     SET quantity = CASE WHEN f.n < h.quantity THEN h.quantity - f.n ELSE h.quantity END,
         state = CASE WHEN f.n < h.quantity THEN h.state ELSE 'ended' END,
         ended_at = CASE WHEN f.n < h.quantity THEN NULL ELSE $3::timestamptz END,
         ended_why = CASE WHEN f.n < h.quantity THEN NULL ELSE $5 END
    FROM target, (SELECT count(*)::int AS n FROM freed) f
   WHERE h.id = target.id AND f.n > 0
  RETURNING h.state, h.order_id),
closed AS (
  UPDATE orders o SET status = 'refunded' FROM rest
   WHERE o.id = rest.order_id AND rest.state = 'ended' RETURNING o.id)
SELECT label FROM freed
