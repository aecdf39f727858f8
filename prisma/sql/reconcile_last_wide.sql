-- The last good run that looked back far. $1 who asked, $2 ms that are far. Rows: 0 or 1.
SELECT from_at AS "fromAt", to_at AS "toAt", started_at AS "startedAt", error
  FROM reconciliations
 WHERE asked_by = $1 AND finished_at IS NOT NULL AND error IS NULL
   AND to_at - from_at >= $2::float8 * interval '1 ms'
 ORDER BY id DESC LIMIT 1
