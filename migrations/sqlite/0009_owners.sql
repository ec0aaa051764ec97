-- Owners: each start of a server is an owner, and leases runs and deliveries in its name. The next start gives back the leases
-- of owners that are dead. Owner 0 is any server before this migration.

ALTER TABLE runs ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;
-- Turns of the run that are stored.
ALTER TABLE runs ADD COLUMN turns INTEGER NOT NULL DEFAULT 1;
ALTER TABLE deliveries ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;

-- Counts the edits of definitions, and names the last one.
ALTER TABLE database_state ADD COLUMN definitions_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE database_state ADD COLUMN last_edit TEXT NOT NULL DEFAULT '';
