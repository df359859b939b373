-- The commands of the system that a pack's code calls: a list of {"command": "jq", "install": "apt-get install jq"}, the
-- hint may be left out. Each machine looks for them on PATH before it runs code of the pack.

ALTER TABLE pack ADD COLUMN requires JSONB NOT NULL DEFAULT '[]';
