-- A place is in doubt once its asset was silent there and is gone with 3 %, where it was 5 %: what a silence is worth is told
-- more exactly now, and most first silences of those that did leave stand between the two.
CREATE OR REPLACE FUNCTION beliefs(instant timestamptz) RETURNS TABLE (
    asset text, location text, since timestamptz, confidence double precision, basis text, passage uuid, doubt text,
    certain boolean, silent boolean, stale boolean, heard_at timestamptz, listened_at timestamptz, gone double precision,
    reads jsonb, patience_h double precision, unseen double precision
) LANGUAGE sql STABLE AS $$
    SELECT w.asset, w.location, w.since, w.confidence, w.basis, w.passage, w.doubt,
           w.doubt IS NULL AND NOT s.silent AND NOT s.stale, s.silent, s.stale, p.heard_at, p.at, p.gone, p.reads,
           coalesce(o.patience_h, k.patience_h), k.unseen
    FROM asset_location AS w
    LEFT JOIN tag_presence AS p ON p.asset = w.asset AND p.location = w.location AND p.since = w.since
    LEFT JOIN stay_patience AS o ON o.asset = w.asset AND o.location = w.location AND o.since = w.since
    LEFT JOIN place_stay AS k ON k.location = w.location AND k.cohort = CASE WHEN EXISTS (
        SELECT FROM authorisation AS u WHERE u.asset = w.asset AND u.kind = 'standing' AND u.withdrawn_at IS NULL
    ) THEN 'carried' WHEN w.basis = 'recorded' THEN 'recorded' ELSE 'arrived' END
    CROSS JOIN LATERAL (
        SELECT coalesce(p.gone > 0.03 AND p.silent > 0, false) AS silent,
               coalesce(instant > greatest(w.since, p.heard_at)
                                  + coalesce(o.patience_h, k.patience_h) * INTERVAL '1 hour', false) AS stale
    ) AS s
$$;
