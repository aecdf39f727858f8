-- Takes the one lock under which seats of an event become scarcer; held until commit.
-- $1 event id. Locks: the event's row (NO KEY UPDATE). Rows: 0 or 1.
SELECT id, opens_at AS "opensAt", closes_at AS "closesAt", hold_seconds AS "holdSeconds",
       max_per_order AS "maxPerOrder", max_per_buyer AS "maxPerBuyer",
       last_position AS "lastPosition"
  FROM events WHERE id = $1
   FOR NO KEY UPDATE
