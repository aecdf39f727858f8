-- The seats of live holds as a buyer is told of them, in order of rank.
-- $1 uuid[] hold ids. Locks: none. Rows: one a hold.
SELECT s.hold_id AS "holdId",
       jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
         'label', s.label, 'ticketType', t.code,
         'section', s.section, 'row', s.row, 'number', s.number)) ORDER BY t.id, s.rank) AS seats
  FROM seats s JOIN ticket_types t ON t.id = s.ticket_type_id
 WHERE s.hold_id = ANY ($1::uuid[])
 GROUP BY s.hold_id
