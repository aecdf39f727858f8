-- The seats that the order's latest hold had, free or not by now.
-- $1 order id. Index: moves_to_hold_idx. Rows: the seats of that hold.
SELECT DISTINCT s.id, s.ticket_type_id AS "ticketTypeId", s.label, s.rank,
       s.section || E'\x1f' || s.row AS "rowKey", s.place, s.state
  FROM (SELECT id FROM holds WHERE order_id = $1 ORDER BY created_at DESC LIMIT 1) h
  JOIN moves m ON m.to_hold = h.id AND m.from_state = 'available'
  JOIN seats s ON s.id = m.seat_id
 ORDER BY s.rank
