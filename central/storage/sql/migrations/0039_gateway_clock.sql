-- A gateway whose clock is ahead is told as an alert: what it tells from the future is dated when it came.
ALTER TABLE alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE alert ADD CONSTRAINT alert_kind_check CHECK (kind IN (
    'unauthorised_exit', 'stale_snapshot', 'ambiguous_passage', 'portal_config_mismatch', 'identity_mismatch',
    'retired_but_active', 'lost_seen', 'untagged_issue', 'unknown_tag', 'impossible_travel', 'cloned_tag', 'not_unique',
    'after_hours', 'loaner_overdue', 'portal_bypass', 'portal_dark', 'carried_by_another', 'fire_alarm', 'door_forced',
    'door_held', 'gateway_clock'));
