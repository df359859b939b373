-- Packs are loaded by upload: their content lives here by digest, and each machine unpacks it on first use.

CREATE TABLE pack_content (
    digest TEXT PRIMARY KEY,               -- sha256 over the sorted files: path, mode, content
    content BYTEA NOT NULL,                -- tar.gz
    size BIGINT NOT NULL,                  -- bytes unpacked
    created TIMESTAMPTZ NOT NULL DEFAULT NOW());
-- The content is compressed already.
ALTER TABLE pack_content ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE pack ADD COLUMN digest TEXT REFERENCES pack_content(digest);

-- What the last load of a pack said of each thing. A field that differs from it was changed by an operator and wins.
CREATE TABLE pack_item (
    pack BIGINT NOT NULL REFERENCES pack(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('runtime', 'trigger', 'sensor', 'action', 'rule')),
    ref TEXT NOT NULL,
    definition JSONB NOT NULL,
    PRIMARY KEY (pack, kind, ref));

-- The values that the migrations wrote count as core's last loaded version. They are written out rather than read from
-- the rows, because an operator may have changed those before this migration ran.
INSERT INTO pack_item (pack, kind, ref, definition)
SELECT pack.id, 'runtime', d.ref, jsonb_build_object('name', d.name, 'description', d.description,
    'distributions', d.distributions::jsonb, 'installation', d.installation::jsonb,
    'execution', d.execution::jsonb, 'aliases', d.aliases::jsonb)
FROM pack, (VALUES
    ('core.native', 'Native', 'Programs that run by themselves',
     '{"verification": {"always_available": true, "check_required": false}}', NULL, '{}', '[]'),
    ('core.nodejs', 'Node.js', 'JavaScript programs for Node.js',
     '{"verification": {"commands": [
         {"binary": "node",   "args": ["--version"], "exit_code": 0, "pattern": "v\\d+\\.\\d+\\.\\d+", "priority": 1},
         {"binary": "nodejs", "args": ["--version"], "exit_code": 0, "pattern": "v\\d+\\.\\d+\\.\\d+", "priority": 2}],
       "always_available": false, "check_required": true},
      "min_version": "16.0.0", "recommended_version": "18.0.0"}',
     '{"debian": "apt-get install nodejs npm", "fedora": "dnf install nodejs", "macos": "brew install node"}',
     '{}', '["node"]'),
    ('core.python', 'Python', 'Python 3 programs',
     '{"verification": {"commands": [
         {"binary": "python3", "args": ["--version"], "exit_code": 0, "pattern": "Python 3\\.", "priority": 1},
         {"binary": "python",  "args": ["--version"], "exit_code": 0, "pattern": "Python 3\\.", "priority": 2}],
       "always_available": false, "check_required": true},
      "min_version": "3.8", "recommended_version": "3.11"}',
     '{"debian": "apt-get install python3 python3-venv", "fedora": "dnf install python3", "macos": "brew install python"}',
     '{}', '["python3"]'),
    ('core.sensor.builtin', 'Built-in Sensor', 'Sensors that Attune itself contains',
     '{"verification": {"always_available": true, "check_required": false}}', NULL, '{"roles": ["sensor"]}', '[]'),
    ('core.shell', 'Shell', 'Shell scripts',
     '{"verification": {"always_available": true, "check_required": false}}', NULL,
     '{"binary": ["bash", "sh"]}', '["bash", "sh"]')
    ) AS d (ref, name, description, distributions, installation, execution, aliases)
WHERE pack.ref = 'core';
