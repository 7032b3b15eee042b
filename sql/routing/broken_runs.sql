-- Runs that gave leads away and ended before they told of it: killed, stopped, or cut off from the server. What a try that is still under way may
-- have begun is its own to end: a try that started before the run was planned and has said nothing of its end. After a week it is no news any more.
SELECT r.id
FROM routing_runs r
WHERE r.finished_at IS NULL AND r.counts IS NULL AND r.planned_at > clock_timestamp() - interval '7 days'
  AND EXISTS (SELECT FROM routing_decisions d WHERE d.run_id = r.id AND d.outcome IN ('assigned', 'reassigned'))
  AND NOT EXISTS (
    SELECT FROM task_runs t
    WHERE t.command = 'routing assign' AND t.status = 'running' AND t.started_at <= r.planned_at)
ORDER BY r.id
