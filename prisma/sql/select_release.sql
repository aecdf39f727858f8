-- The live holds and seats that an organizer's release would touch.
-- $1 event id, $2 text[] | null merchant uids, $3 text[] | null labels, $4 bool overdue ones,
-- $5 bool all held, $6 timestamptz now, $7 limit. Rows: one a seat, at most $7.
SELECT h.id AS "holdId", h.payment_id AS "paymentId", h.gateway, h.state, o.merchant_uid AS "merchantUid",
       s.label, t.code AS "ticketType"
  FROM holds h
  JOIN orders o ON o.id = h.order_id
  JOIN seats s ON s.hold_id = h.id
  JOIN ticket_types t ON t.id = s.ticket_type_id
 WHERE h.event_id = $1 AND h.state <> 'ended'
   AND (($5::bool AND h.state = 'held')
     OR ($4::bool AND h.state = 'held' AND h.expires_at <= $6::timestamptz)
     OR o.merchant_uid = ANY ($2::text[])
     OR h.id IN (SELECT hold_id FROM seats WHERE event_id = $1 AND label = ANY ($3::text[])
                                             AND hold_id IS NOT NULL))
 ORDER BY h.created_at, h.id, s.rank LIMIT $7
