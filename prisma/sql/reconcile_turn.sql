-- Takes the turn to reconcile, or not; a session that ends, in whatever way, gives it back.
-- $1 the lock's number. Locks: one advisory lock of the session. Rows: 1.
SELECT pg_try_advisory_lock($1) AS taken
