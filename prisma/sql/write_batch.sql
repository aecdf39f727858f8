-- Writes everything that one batch decided, in one statement.
-- $1 jsonb {holds, moved, verdicts}, $2 event id, $3 the position before the batch,
-- $4 how many positions it used, $5 timestamptz now, $6 actor.
-- Locks: the seats claimed, the holds moved, the orders marked. Rows: one with the counts of
-- what was really written; the caller compares, for each write is guarded by the state it read.
-- Free is said as `hold_id IS NULL` and held as `neither ended nor sold`: those words match no
-- partial index, so that the only way to the rows is their key, whatever the statistics say.
WITH given AS (SELECT $1::jsonb AS doc),
new_holds AS (
  INSERT INTO holds (id, order_id, event_id, buyer_id, payment_id, gateway, quantity, state,
                     created_at, expires_at, answer_by, check_at)
  SELECT h.id, h."orderId", $2, h."buyerId", h."paymentId", h.gateway, h.quantity, 'held',
         $5::timestamptz, h."expiresAt", h."answerBy", h."answerBy"
    FROM given, jsonb_to_recordset(doc -> 'holds') AS h (
      id uuid, "orderId" int, "buyerId" text, "paymentId" text, gateway text, quantity int,
      "expiresAt" timestamptz, "answerBy" timestamptz)
  RETURNING id),
claimed AS (
  UPDATE seats s
     SET state = 'held', hold_id = c.hold_id, moved_by = $6, moved_why = 'confirm',
         moved_at = $5::timestamptz
    FROM (SELECT (h ->> 'id')::uuid AS hold_id, seat_id::int AS seat_id
            FROM given, jsonb_array_elements(doc -> 'holds') h,
                 jsonb_array_elements_text(h -> 'seatIds') seat_id) c
   WHERE s.id = c.seat_id AND s.hold_id IS NULL
  RETURNING s.id),
marked AS (
  UPDATE orders o SET status = 'held'
    FROM given, jsonb_to_recordset(doc -> 'holds') AS h ("orderId" int)
   WHERE o.id = h."orderId" AND o.status = 'pending'
  RETURNING o.id),
moved AS (
  UPDATE holds h SET payment_id = m."paymentId", gateway = m.gateway,
                     -- A charge that began meanwhile may have made it longer.
                     expires_at = greatest(h.expires_at, m."expiresAt"),
                     answer_by = greatest(h.answer_by, m."answerBy"),
                     check_at = CASE WHEN h.answered_at IS NULL
                                     THEN greatest(h.answer_by, m."answerBy")
                                     ELSE h.check_at END, doubted_at = NULL
    FROM given, jsonb_to_recordset(doc -> 'moved') AS m (
      "holdId" uuid, "paymentId" text, gateway text, "expiresAt" timestamptz,
      "answerBy" timestamptz)
   WHERE h.id = m."holdId" AND h.ended_at IS NULL AND h.state <> 'sold'
  RETURNING h.id),
recorded AS (
  INSERT INTO verdicts (payment_id, gateway, event_id, order_id, code, amount, position, hold_id,
                        decided_at)
  SELECT v."paymentId", v.gateway, $2, v."orderId", v.code, v.amount, v.position, v."holdId",
         $5::timestamptz
    FROM given, jsonb_to_recordset(doc -> 'verdicts') AS v (
      "paymentId" text, gateway text, "orderId" int, code text, amount int, position int,
      "holdId" uuid)
   -- As record_no_verdict does: two that wait for each other's keys would be a deadlock.
   ORDER BY v."paymentId"
  RETURNING payment_id),
counted AS (
  UPDATE events SET last_position = last_position + $4
   WHERE id = $2 AND last_position = $3
  RETURNING id)
SELECT (SELECT count(*)::int FROM claimed) AS claimed,
       (SELECT count(*)::int FROM marked) AS marked,
       (SELECT count(*)::int FROM moved) AS moved,
       (SELECT count(*)::int FROM counted) AS counted
