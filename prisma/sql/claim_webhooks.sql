-- Claims pending webhooks that are due; nobody else gets them before $3.
-- $1 timestamptz now, $2 limit, $3 timestamptz, $4 int[] | null: only these.
-- Locks: the rows claimed, skipping locked ones. Index: webhooks_pending.
-- Rows: those claimed; `happenedAt` is what the sender wrote, in V2's later shape only.
UPDATE webhooks w SET tries = w.tries + 1, next_try_at = $3::timestamptz
 -- As an array, so that the rows are fetched by key; joined, they may be hashed against the inbox.
 WHERE w.id = ANY (ARRAY(
    SELECT id FROM webhooks
     WHERE state = 'pending' AND next_try_at <= $1::timestamptz
       AND ($4::int[] IS NULL OR id = ANY ($4::int[]))
     ORDER BY next_try_at LIMIT $2
       FOR UPDATE SKIP LOCKED))
RETURNING w.id, w.gateway, w.kind, w.verified, w.payment_id AS "paymentId",
          w.merchant_uid AS "merchantUid", w.tries, w.received_at AS "receivedAt",
          w.body ->> 'timestamp' AS "happenedAt"
