-- What some seats cost by their order.
-- $1 order id, $2 text[] labels. Index: seats_event_id_label_key. Locks: none. Rows: 1.
SELECT coalesce(sum(order_price(o.id, s.id)), 0)::int AS price
  FROM orders o JOIN seats s ON s.event_id = o.event_id AND s.label = ANY ($2::text[])
 WHERE o.id = $1
