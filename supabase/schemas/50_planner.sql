-- Planner settings: how Postgres may plan the statements of a function, with the reason for each. They hold
-- while the function runs, also in what it calls. A migration that replaces a function of these lists runs
-- this file again, for a new definition has no settings.

do $$
declare
  rule record;
  routine text;
  setting text;
begin
  for rule in select * from (values
    -- Reads through an index. These tables grow and empty within seconds, so their statistics are always
    -- wrong, and a plan that is kept was made for another size: it would read the whole table. A forbidden
    -- plan counts as very dear, and whatever is very dear gets compiled, for 70 ms: so jit is off as well.
    (array['jit = off', 'enable_seqscan = off', 'enable_bitmapscan = off'], array[
      'messenger.queue_holds', 'messenger.lanes_hold', 'messenger.stray_queues', 'public.messenger_tidy_queues',
      'messenger.close_leases', 'messenger.lock_expired', 'messenger.free_keys', 'messenger.holder_of',
      'messenger.group_fronts', 'messenger.reopen_groups', 'messenger.reopen_noted_groups',
      'messenger.note_blocked_groups', 'messenger.admit_groups',
      'messenger.first_of_groups', 'messenger.block_groups', 'messenger.lock_groups',
      'messenger.queue_opens_at', 'messenger.queue_room', 'messenger.count_running', 'messenger.count_leased',
      'messenger.limits_open_at', 'messenger.note_blocked_lanes', 'messenger.walk_lanes', 'messenger.oldest_lanes', 'messenger.has_later_in_lanes', 'messenger.full_lanes', 'messenger.lanes_out_of_starts', 'messenger.lanes_since_scan', 'messenger.join_lanes',
      'messenger.waiting_bytes', 'messenger.next_due_in_lanes', 'messenger.next_of_lanes_to_scan', 'messenger.tidy_lanes', 'messenger.note_lane', 'messenger.lane_fronts', 'messenger.busy_lanes', 'messenger.measure_queue_limited', 'messenger.next_due_in_all_lanes', 'messenger.lanes_depth', 'messenger.lock_first_of_lanes', 'messenger.has_due_behind',
      'messenger.due_among', 'messenger.queues_due', 'messenger.lock_due', 'messenger.lock_quarantined', 'messenger.quarantined_fronts', 'messenger.before_open_queue', 'messenger.latest_failures',
      'messenger.lock_past_ttl', 'messenger.next_due', 'messenger.waiting_fronts', 'public.messenger_claim',
      'messenger.lock_settled', 'public.messenger_settle',
      'public.messenger_heartbeat', 'messenger.next_matches', 'messenger.redrive_ids',
      'messenger.remove_ids', 'messenger.finish_schedule_runs', 'messenger.prune_runs_of',
      'public.messenger_next_schedule_at', 'public.messenger_claim_schedules',
      'messenger.judge_runs', 'public.messenger_advance_schedules', 'messenger.cancel_ids',
      'messenger.run_ids', 'public.messenger_report_progress', 'messenger.queue_depth',
      'public.messenger_list_queues', 'messenger.lane_behind', 'public.messenger_list_messages',
      'public.messenger_list_failed', 'messenger.queues_in_use',
      'messenger.schedules_overdue_since', 'messenger.count_failed',
      'public.messenger_list_upcoming',
      'messenger.prune_before', 'messenger.prune_orphans', 'messenger.followed', 'messenger.is_outside', 'messenger.positions_of', 'messenger.running_step',
      'public.messenger_cancel_message', 'public.messenger_list_user_messages', 'public.messenger_list_webhook_deliveries', 'messenger.next_webhooks'
    ]),

    -- Reads in the order of an index, and stops at its limit. A sort would read every row before the first.
    (array['enable_sort = off'], array[
      'messenger.stray_queues', 'messenger.group_fronts', 'messenger.note_blocked_groups',
      'messenger.block_groups', 'messenger.queues_due', 'messenger.lock_due', 'messenger.quarantined_fronts',
      'messenger.walk_lanes', 'messenger.oldest_lanes', 'messenger.lanes_since_scan', 'messenger.has_later_in_lanes', 'messenger.note_blocked_lanes', 'messenger.lane_fronts', 'messenger.waiting_fronts',
      'messenger.lock_past_ttl', 'messenger.next_due', 'messenger.queue_depth',
      'public.messenger_list_user_messages', 'messenger.latest_failures'
    ]),

    -- Joins a few given ids to a large table. A hash or a merge would read that table in full; a nested loop
    -- looks up each id.
    (array['enable_hashjoin = off', 'enable_mergejoin = off'], array[
      'messenger.next_due', 'public.messenger_settle', 'public.messenger_heartbeat',
      'messenger.next_matches', 'messenger.redrive_ids', 'messenger.remove_ids',
      'messenger.finish_schedule_runs', 'messenger.cancel_ids', 'messenger.run_ids',
      'public.messenger_report_progress', 'messenger.prune_orphans', 'messenger.followed', 'messenger.running_step',
      'messenger.next_webhooks', 'messenger.oldest_lanes', 'messenger.next_due_in_all_lanes'
    ]),

    -- Part of messenger.next_due, whose settings hold here too: it joins two lists of thousands of lanes.
    (array['enable_hashjoin = on'], array[
      'messenger.next_of_all_lanes', 'messenger.full_lanes', 'messenger.lanes_shut'
    ]),

    -- Part of messenger.admit_groups, whose settings hold here too: these look up each group by an index.
    (array['enable_nestloop = on'], array[
      'messenger.group_fronts', 'messenger.first_of_groups', 'messenger.block_groups'
    ]),

    -- The sizes of its arrays are not known to a plan that is kept. A nested loop would go through one array
    -- for each element of another.
    (array['enable_nestloop = off'], array[
      'messenger.admit_groups', 'messenger.advances_with_runs'
    ]),

    -- To plan them costs more than to run them: next_due 250 us and 15. With this, Postgres plans each statement
    -- once a session. Without it, it plans again for the arrays of each small call, because it takes an array that
    -- it does not know for ten elements. A claim of 1 to 20 messages takes 15 to 20 % longer then, a settle call
    -- of as many up to 50 %.
    (array['plan_cache_mode = force_generic_plan'], array[
      'messenger.next_due', 'public.messenger_claim', 'public.messenger_settle'
    ]),

    -- A filter that is not given is no condition. A plan that is kept has to allow for each filter, and reads all rows
    -- to find a few ids.
    (array['plan_cache_mode = force_custom_plan'], array[
      'public.messenger_list_schedules', 'public.messenger_list_webhook_deliveries', 'messenger.next_webhooks'
    ]),

    -- Looks up queues by their names. A plan that is kept from the time when there were a few queues would read all of
    -- them for each message: 12 minutes for 100,000 messages in as many new queues.
    (array['jit = off', 'enable_seqscan = off'], array[
      'messenger.register_queues', 'messenger.wake_for_messages', 'messenger.wake_for_change', 'messenger.wake_for_queue', 'messenger.settings_of',
      'messenger.is_paused'
    ]),

    -- A sequence can be read by a sequential scan alone. That counts as very dear here, and would be compiled.
    (array['jit = off', 'enable_seqscan = off'], array[
      'messenger.sequence_behind'
    ]),

    -- Reads JSON only, of whose size the planner expects too much: it would compile the call.
    (array['jit = off'], array[
      'messenger.lock_settled_groups', 'messenger.advances_with_runs'
    ])
  ) as r (settings, routines) loop
    foreach routine in array rule.routines loop
      foreach setting in array rule.settings loop
        execute format('alter function %s set %s', routine::regproc::oid::regprocedure, setting);
      end loop;
    end loop;
  end loop;
end
$$;
