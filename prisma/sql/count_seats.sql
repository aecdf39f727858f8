-- Seats of an event by ticket type and state. $1 event id. Rows: at most types x 3.
SELECT ticket_type_id AS "ticketTypeId", state, count(*)::int AS seats
  FROM seats WHERE event_id = $1 GROUP BY ticket_type_id, state
