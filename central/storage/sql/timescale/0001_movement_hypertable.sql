-- One chunk a day of event time. Hypertables and time_bucket are in the Apache edition; nothing here needs more.
SELECT create_hypertable('movement', 'at', chunk_time_interval => INTERVAL '1 day',
                         migrate_data => true, create_default_indexes => false);
