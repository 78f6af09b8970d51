-- Compression is in the community edition alone; the Apache edition keeps plain chunks. It starts after the longest outage of an
-- edge that we reckon with (7 days and one chunk), so that late rows rarely meet compressed ones. By portal and time the same
-- rows take an eighth; by EPC they would take twice as much.
DO $$
BEGIN
    IF current_setting('timescaledb.license', true) = 'timescale' THEN
        ALTER TABLE movement SET (
            timescaledb.compress, timescaledb.compress_segmentby = 'portal', timescaledb.compress_orderby = 'at DESC'
        );
        PERFORM add_compression_policy('movement', INTERVAL '8 days');
    END IF;
END
$$;
