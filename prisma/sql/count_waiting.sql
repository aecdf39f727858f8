-- What waits in the whole house: for money, for PortOne, or for a person. Read at each scrape.
-- $1 timestamptz now, $2 text[] what a refund may wait for without being stuck.
-- Indexes: holds_overdue, refunds_one_open_per_payment, cases_open, webhooks_pending. Locks: none.
-- Rows: 1; each kind with none is absent.
SELECT
  (SELECT count(*)::int FROM holds WHERE state = 'held') AS held,
  (SELECT coalesce(jsonb_object_agg(waits_for, n), '{}') FROM (
     SELECT CASE WHEN state = 'requested' THEN 'portone'
                 WHEN last_error = ANY ($2::text[]) THEN 'organizer' ELSE 'mending' END AS waits_for,
            count(*) AS n
       FROM refunds WHERE state IN ('requested', 'needs_person') GROUP BY 1) r) AS refunds,
  (SELECT coalesce(jsonb_object_agg(kind, n), '{}') FROM (
     SELECT kind, count(*) AS n FROM cases WHERE closed_at IS NULL GROUP BY kind) c) AS cases,
  -- Of those that are due: one that PortOne says nothing about yet is asked about at its time.
  (SELECT coalesce(extract(epoch FROM $1::timestamptz - min(next_try_at)), 0)::float8
     FROM webhooks WHERE state = 'pending' AND next_try_at <= $1::timestamptz) AS "webhookLagSeconds"
