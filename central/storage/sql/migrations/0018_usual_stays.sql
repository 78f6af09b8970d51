-- How long each asset's earlier stays at its place lasted, in hours: what its presence is judged by, beside its silences; and
-- which part of "gone" went as such assets do, and is soon seen elsewhere.
ALTER TABLE stay_patience ADD own_h double precision[] NOT NULL DEFAULT '{}';
ALTER TABLE tag_presence ADD away double precision NOT NULL DEFAULT 0 CHECK (away BETWEEN 0 AND 1);
