-- The end of the installation: the rows and cron jobs. Secrets come from `supabase db push`, or from the
-- function `messenger`.

select public.messenger_setup();
