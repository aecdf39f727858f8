-- A label that seats about to be numbered would share with a seat that is there, if any.
-- $1 event id, $2 ticket type id, $3 how many, $4 label prefix. Rows: 0 or 1.
SELECT s.label
  FROM (SELECT coalesce(max(rank), 0) AS rank FROM seats WHERE ticket_type_id = $2::int) base
 CROSS JOIN generate_series(1, $3::int) n
  JOIN seats s ON s.event_id = $1::int AND s.label = $4::text || (base.rank + n)
 LIMIT 1
