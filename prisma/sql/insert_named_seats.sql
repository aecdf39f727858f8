-- Seats with labels of their own, ranked in the order given, after those that are there.
-- $1 event id, $2 int[] ticket type ids, $3 text[] labels, $4 text[] sections, $5 text[] rows,
-- $6 text[] numbers, $7 int[] places. A null label is numbered like a bib. Rows: none.
WITH base AS (
  SELECT t.id, t.code, (SELECT coalesce(max(s.rank), 0) FROM seats s WHERE s.ticket_type_id = t.id) AS rank
    FROM ticket_types t WHERE t.event_id = $1::int),
given AS (
  SELECT *, row_number() OVER (PARTITION BY type_id ORDER BY ord) AS nth
    FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])
         WITH ORDINALITY AS g (type_id, label, section, "row", number, place, ord))
INSERT INTO seats (event_id, ticket_type_id, label, section, "row", number, place, rank)
SELECT $1::int, g.type_id, coalesce(g.label, b.code || '-' || (b.rank + g.nth)),
       g.section, g."row", g.number, g.place, b.rank + g.nth
  FROM given g JOIN base b ON b.id = g.type_id
 ORDER BY g.ord
