-- Holds whose caller stopped waiting before any 200 was written; nobody can have been charged.
-- $1 timestamptz before which the caller stopped waiting, $2 limit. Index: holds_to_check.
SELECT id, payment_id AS "paymentId" FROM holds
 WHERE state = 'held' AND check_at <= $1::timestamptz AND answered_at IS NULL
 ORDER BY check_at LIMIT $2
