-- For each ticket type, when the next of its holds ends; null where none is held.
-- $1 int[] ticket type ids. Locks: none. Index: holds_by_expiry, left at the first match.
SELECT t.id AS "ticketTypeId", h.expires_at AS "endsAt"
  FROM ticket_types t
  LEFT JOIN LATERAL (
    SELECT h.expires_at FROM holds h
     WHERE h.event_id = t.event_id AND h.state = 'held'
       AND EXISTS (SELECT 1 FROM seats s WHERE s.hold_id = h.id AND s.ticket_type_id = t.id)
     ORDER BY h.expires_at LIMIT 1) h ON true
 WHERE t.id = ANY ($1::int[])
