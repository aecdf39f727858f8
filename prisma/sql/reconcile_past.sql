-- The scheduled runs that the next one begins from: those since $2, and of the good ones the last and
-- the last that looked back far, however old. Good: both sides were read to the end, and each payment
-- that could not be compared stands in its findings, to be asked about by name.
-- $1 who asked, $2 timestamptz since, $3 ms that are far. Locks: none. Rows: newest first.
WITH runs AS (
  SELECT id, from_at, to_at, started_at, findings,
         error IS NULL OR (coalesce((findings->>'complete')::bool, false)
                           AND (findings->>'more')::int = 0) AS good
    FROM reconciliations WHERE asked_by = $1 AND finished_at IS NOT NULL)
SELECT r.from_at AS "fromAt", r.to_at AS "toAt", r.started_at AS "startedAt", r.good,
       CASE WHEN r.good THEN (
         SELECT coalesce(jsonb_agg(jsonb_build_object(
                  'gateway', f->'gateway', 'paymentId', f->'paymentId',
                  'merchantUid', f->'merchantUid')), '[]')
           FROM jsonb_array_elements(r.findings->'list') f WHERE f->>'repair' = 'failed')
       ELSE '[]' END AS owed
  FROM runs r
 WHERE r.started_at > $2::timestamptz
    OR r.id = (SELECT max(id) FROM runs WHERE good)
    OR r.id = (SELECT max(id) FROM runs WHERE good AND to_at - from_at >= $3::float8 * interval '1 ms')
 ORDER BY r.id DESC
