-- Counts the violations of each law about seats, for one event; each is zero when all is well.
-- $1 event id, $2 timestamptz now, $3 ms a hold may be overdue, $4 ms a hold may stand unanswered.
-- Reads the record of moves as well as the present state, so that one proves the other. Rows: 1.
WITH live AS (SELECT * FROM holds WHERE event_id = $1 AND state <> 'ended'),
seats_of AS (SELECT hold_id, count(*) AS seats FROM seats
              WHERE event_id = $1 AND hold_id IS NOT NULL GROUP BY hold_id),
-- By the record alone: who holds each seat after its last move.
last_move AS (SELECT DISTINCT ON (seat_id) seat_id, to_state, to_hold
                FROM moves WHERE event_id = $1 ORDER BY seat_id, id DESC),
-- By the record alone: a seat that was given away while it was not free.
given_twice AS (
  SELECT seat_id FROM (
    SELECT seat_id, from_state, from_hold,
           lag(to_state) OVER w AS before_state, lag(to_hold) OVER w AS before_hold
      FROM moves WHERE event_id = $1 WINDOW w AS (PARTITION BY seat_id ORDER BY id)) m
   WHERE (coalesce(before_state, 'available'), before_hold) IS DISTINCT FROM (from_state, from_hold))
SELECT
  ((SELECT count(*) FROM given_twice)
   + (SELECT count(*) FROM live l JOIN seats_of s ON s.hold_id = l.id WHERE s.seats > l.quantity)
   + (SELECT count(*) FROM (SELECT order_id FROM live GROUP BY order_id HAVING count(*) > 1) d)
  )::int AS oversold,
  (SELECT count(*)::int FROM live l LEFT JOIN seats_of s ON s.hold_id = l.id
    WHERE coalesce(s.seats, 0) < l.quantity) AS "orphanHolds",
  (SELECT count(*)::int FROM live
    WHERE state = 'held' AND expires_at < $2::timestamptz - $3 * interval '1 ms'
      AND (next_ask_at IS NULL OR next_ask_at < $2::timestamptz - $3 * interval '1 ms'))
    AS "overdueHolds",
  (SELECT count(*)::int FROM live
    WHERE state = 'held' AND answered_at IS NULL
      AND answer_by < $2::timestamptz - $4 * interval '1 ms') AS "unansweredHolds",
  (SELECT count(*)::int FROM seats s LEFT JOIN last_move m ON m.seat_id = s.id
    WHERE s.event_id = $1
      AND (s.state, s.hold_id) IS DISTINCT FROM (coalesce(m.to_state, 'available'), m.to_hold))
    AS "seatsWithoutMove",
  (SELECT (max(e.last_position) - count(v.position)
           + count(*) FILTER (WHERE v.position > e.last_position))::int
     FROM events e LEFT JOIN verdicts v ON v.event_id = e.id AND v.position IS NOT NULL
    WHERE e.id = $1) AS "positionGaps",
  (SELECT count(*)::int FROM verdicts v JOIN live l ON l.id = v.hold_id
    WHERE v.event_id = $1 AND l.order_id <> v.order_id) AS "foreignHolds",
  (SELECT count(*)::int FROM orders o
    WHERE o.event_id = $1 AND (o.status IN ('held', 'paid')) <> EXISTS (
      SELECT 1 FROM live l WHERE l.order_id = o.id
        AND l.state = CASE o.status WHEN 'held' THEN 'held' ELSE 'sold' END)) AS "ordersAstray",
  (SELECT count(*)::int FROM ticket_types t
    WHERE t.event_id = $1 AND t.available <> (
      SELECT count(*) FROM seats s WHERE s.ticket_type_id = t.id AND s.state = 'available'))
    AS "countsAstray"
