-- Those of the named seats that are free.
-- $1 event id, $2 text[] labels. Locks: none (the event is locked). Rows: at most cardinality($2).
SELECT s.id, s.ticket_type_id AS "ticketTypeId", s.label, s.rank,
       s.section || E'\x1f' || s.row AS "rowKey", s.place,
       s.section, s.row, s.number
  FROM seats s
 WHERE s.event_id = $1 AND s.label = ANY ($2::text[]) AND s.state = 'available'
