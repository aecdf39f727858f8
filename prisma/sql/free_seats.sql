-- The best free seats of each ticket type: O(number asked for), however many seats there are.
-- $1 int[] ticket type ids, $2 int[] how many of each. Locks: none (the event is locked).
-- Index: seats_free, in its own order. Rows: at most the sum of $2.
SELECT s.id, s.ticket_type_id AS "ticketTypeId", s.label, s.rank,
       s.section || E'\x1f' || s.row AS "rowKey", s.place,
       s.section, s.row, s.number
  FROM unnest($1::int[], $2::int[]) AS want (ticket_type_id, seats)
 CROSS JOIN LATERAL (
   SELECT * FROM seats
    WHERE ticket_type_id = want.ticket_type_id AND state = 'available'
    ORDER BY rank LIMIT want.seats) s
