-- Traces: a message keeps the trace that it was dispatched in, as the stamp `traceContext`. docs/tracing.md says what the
-- workers make of it.

-- The Data API tells the headers of its request to the transaction: so a trigger on a table that a frontend writes to
-- dispatches in the frontend's trace.
create function messenger.trace_stamps(p_traceparent text) returns jsonb
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
declare
  valid constant text := '^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$';
  headers constant text := nullif(current_setting('request.headers', true), '');
begin
  if p_traceparent is not null and p_traceparent !~ valid then
    raise sqlstate 'PT400' using message =
      'traceparent: has to be like 00-<32 hex digits>-<16 hex digits>-01, as W3C''s Trace Context says';
  end if;
  -- Read as text: a transaction may hold anything under this name, and a header of the user's is no reason to fail.
  p_traceparent := coalesce(p_traceparent, substring(headers from '"traceparent"\s*:\s*"([^"]*)"'));
  return case when p_traceparent ~ valid
    then jsonb_build_object('traceContext', jsonb_build_object('traceparent', p_traceparent))
  end;
end
$$;
comment on function messenger.trace_stamps(text) is
  'The stamps of a message that is dispatched in SQL: the trace that is given, or else that of the Data API''s request; null where there is none.';
