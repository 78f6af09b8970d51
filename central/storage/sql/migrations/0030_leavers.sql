-- Who leaves, by HR's list, and what they answer for.

ALTER TABLE book_row ADD COLUMN leaves_on date;

-- By custody, on loan, or since it lies in an asset that they have and nobody else answers for it. A lower rank is nearer.
CREATE VIEW person_holding AS
WITH RECURSIVE held AS (
    SELECT s.asset, s.custodian AS person, 'custody' AS how, 0 AS rank
    FROM asset_state AS s
    WHERE s.custody_kind = 'person' AND s.lifecycle IS DISTINCT FROM 'disposed'
    UNION
    SELECT l.asset, l.person, 'loan', 0 FROM loan AS l WHERE l.returned_at IS NULL
), parts AS (
    SELECT * FROM held
    UNION
    SELECT a.id, p.person, ('part of ' || p.asset) COLLATE "default", p.rank + 1
    FROM parts AS p JOIN asset AS a ON a.parent = p.asset LEFT JOIN asset_state AS s ON s.asset = a.id
    WHERE coalesce(s.custody_kind, 'none') = 'none' AND s.lifecycle IS DISTINCT FROM 'disposed'
)
SELECT p.* FROM parts AS p JOIN asset AS a ON a.id = p.asset AND a.withdrawn_at IS NULL;
