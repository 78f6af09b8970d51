-- Whether an asset was ever lent is asked for all that a batch saw, and few ever were.
CREATE INDEX authorisation_loan ON authorisation (asset) WHERE kind = 'loan' AND withdrawn_at IS NULL;
