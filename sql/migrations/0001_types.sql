-- Types whose order is their meaning: ORDER BY, <, max() sort low < medium < high < urgent and by pipeline order.
CREATE TYPE priority_level AS ENUM ('low', 'medium', 'high', 'urgent');

CREATE TYPE pipeline_stage AS ENUM (
  'qualified', 'contacted', 'meeting_scheduled', 'proposal_sent', 'negotiating', 'closed_won', 'closed_lost'
);

-- Tools that bind text parameters (most drivers) may write these columns without a cast of their own.
CREATE CAST (text AS priority_level) WITH INOUT AS ASSIGNMENT;
CREATE CAST (varchar AS priority_level) WITH INOUT AS ASSIGNMENT;
CREATE CAST (text AS pipeline_stage) WITH INOUT AS ASSIGNMENT;
CREATE CAST (varchar AS pipeline_stage) WITH INOUT AS ASSIGNMENT;

-- The instant a job works at: --as-of where it was given (SET LOCAL salestasks.as_of), else the transaction's start.
-- Triggers take their time from here, so that a replay writes the past and not the present.
CREATE FUNCTION sales_now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(nullif(current_setting('salestasks.as_of', true), '')::timestamptz, now()) $$;
