-- Lists of the newest movements, of all doors or of one; and since when a tag stands for its asset.

CREATE INDEX passage_newest ON passage (at DESC, passage);
CREATE INDEX passage_portal ON passage (portal, at DESC, passage);

-- A box tag moves its asset until the asset has a body or lid tag, so the time of the binding is kept. Tags that are there
-- already count from now on: what their boxes did before has moved their assets, and stays.
ALTER TABLE tag ADD COLUMN registered_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE tag ALTER COLUMN registered_at DROP DEFAULT;
