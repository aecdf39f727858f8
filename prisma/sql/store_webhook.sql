-- Puts a webhook into the inbox; a repeat under the same sender's id is there already.
-- $1 gateway, $2 external id | null, $3 payment id | null, $4 merchant uid | null, $5 jsonb body,
-- $6 timestamptz now. Rows: the new one, or none for a repeat.
INSERT INTO webhooks (gateway, external_id, payment_id, merchant_uid, body, received_at, next_try_at)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::timestamptz, $6::timestamptz)
ON CONFLICT (external_id) DO NOTHING
RETURNING id
