-- Puts webhooks into the inbox; a repeat under the same sender's id is there already.
-- $1 jsonb [{n, gateway, kind, verified, externalId, paymentId, merchantUid, body}],
-- $2 timestamptz now.
-- Rows: one for each given, by its n; the id is null for a repeat.
WITH given AS (
  SELECT nextval(pg_get_serial_sequence('webhooks', 'id'))::int AS id, g.*
    FROM jsonb_to_recordset($1::jsonb) AS g (
      n int, gateway text, kind text, verified boolean, "externalId" text, "paymentId" text,
      "merchantUid" text, body jsonb)),
stored AS (
  INSERT INTO webhooks (id, gateway, kind, verified, external_id, payment_id, merchant_uid, body,
                        received_at, next_try_at)
  -- A body of `null` comes out of the record as no value at all.
  SELECT id, gateway, kind, verified, "externalId", "paymentId", "merchantUid",
         coalesce(body, 'null'::jsonb), $2::timestamptz, $2::timestamptz
    FROM given ORDER BY "externalId"
  ON CONFLICT (external_id) DO NOTHING
  RETURNING id)
SELECT stored.id FROM given LEFT JOIN stored ON stored.id = given.id ORDER BY given.n
