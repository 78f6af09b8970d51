-- Since when the registry has had a door: it is blamed for nothing of before. Those that stand already count from always.
ALTER TABLE portal ADD COLUMN registered_at timestamptz;
