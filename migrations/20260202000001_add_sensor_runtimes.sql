-- Sensors get runtimes of their own, with the metadata by which a machine finds out whether it has them.

INSERT INTO runtime (ref, pack, pack_ref, runtime_type, name, description, distributions, installation)
SELECT r.ref, pack.id, pack.ref, 'sensor', r.name, r.description, r.distributions::jsonb, r.installation::jsonb
FROM pack, (VALUES
    ('core.sensor.python', 'Python', 'Python 3 programs',
     '{"verification": {"commands": [
         {"binary": "python3", "args": ["--version"], "exit_code": 0, "pattern": "Python 3\\.", "priority": 1},
         {"binary": "python",  "args": ["--version"], "exit_code": 0, "pattern": "Python 3\\.", "priority": 2}],
       "always_available": false, "check_required": true},
      "min_version": "3.8", "recommended_version": "3.11"}',
     '{"debian": "apt-get install python3 python3-venv", "fedora": "dnf install python3", "macos": "brew install python"}'),
    ('core.sensor.nodejs', 'Node.js', 'JavaScript programs for Node.js',
     '{"verification": {"commands": [
         {"binary": "node",   "args": ["--version"], "exit_code": 0, "pattern": "v\\d+\\.\\d+\\.\\d+", "priority": 1},
         {"binary": "nodejs", "args": ["--version"], "exit_code": 0, "pattern": "v\\d+\\.\\d+\\.\\d+", "priority": 2}],
       "always_available": false, "check_required": true},
      "min_version": "16.0.0", "recommended_version": "18.0.0"}',
     '{"debian": "apt-get install nodejs npm", "fedora": "dnf install nodejs", "macos": "brew install node"}'),
    ('core.sensor.shell', 'Shell', 'Shell scripts',
     '{"verification": {"always_available": true, "check_required": false}}', NULL),
    ('core.sensor.native', 'Native', 'Programs that run by themselves',
     '{"verification": {"always_available": true, "check_required": false}}', NULL)
    ) AS r (ref, name, description, distributions, installation)
WHERE pack.ref = 'core'
ON CONFLICT (ref) DO NOTHING;

UPDATE runtime
SET description = COALESCE(description, 'Sensors that Attune itself contains'),
    distributions = '{"verification": {"always_available": true, "check_required": false}}', updated = NOW()
WHERE ref = 'core.sensor.builtin' AND NOT distributions ? 'verification';
