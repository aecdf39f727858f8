-- Seats without rows (bibs, general admission), numbered on after those that are there.
-- $1 event id, $2 ticket type id, $3 how many, $4 label prefix. One statement, so that the
-- ticket type is locked only at its end. Rows: none.
INSERT INTO seats (event_id, ticket_type_id, label, rank)
SELECT $1::int, $2::int, $4::text || (base.rank + n), base.rank + n
  FROM (SELECT coalesce(max(rank), 0) AS rank FROM seats WHERE ticket_type_id = $2::int) base,
       generate_series(1, $3::int) n
