-- How long each asset's earlier stays at its place lasted, in hours: what its presence is judged by, beside its silences; and
-- which part of "gone" went as such assets do, and is soon seen elsewhere.
ALTER TABLE stay_patience ADD own_h double precision[] NOT NULL DEFAULT '{}';
ALTER TABLE tag_presence ADD away double precision NOT NULL DEFAULT 0 CHECK (away BETWEEN 0 AND 1);

-- One with a standing permission is carried: also where only the book put it, it stays for as long as those do that were seen
-- to come. `place_stay.recorded` tells the two kinds apart.
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
    LEFT JOIN place_stay AS k ON k.location = w.location AND k.recorded = (w.basis = 'recorded' AND NOT EXISTS (
        SELECT FROM authorisation AS u WHERE u.asset = w.asset AND u.kind = 'standing' AND u.withdrawn_at IS NULL
    ))
    CROSS JOIN LATERAL (
        SELECT coalesce(p.gone > 0.05 AND p.silent > 0, false) AS silent,
               coalesce(instant > greatest(w.since, p.heard_at)
                                  + coalesce(o.patience_h, k.patience_h) * INTERVAL '1 hour', false) AS stale
    ) AS s
$$;
