-- Holds whose caller stopped waiting before any 200 was written; nobody can have been charged.
-- $1 timestamptz before which the caller stopped waiting, $2 limit. Index: holds_unanswered.
SELECT id, payment_id AS "paymentId" FROM holds
 WHERE state = 'held' AND answered_at IS NULL AND answer_by <= $1::timestamptz
 ORDER BY answer_by LIMIT $2
