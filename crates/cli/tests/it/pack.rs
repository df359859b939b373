//! Packs as authors write them: files in a directory.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes a pack's files below `directory`. Scripts are executable, as authors have them.
pub(crate) fn write(directory: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = directory.join(name);
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if text.starts_with("#!") {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
    }
    root
}

/// A small pack with one of everything. Its sensor is polled once.
pub(crate) const DEMO: [(&str, &str); 14] = [
    ("pack.yaml", "ref: demo\nname: Demo\nversion: 1.2.0\ndescription: One of everything\n"),
    (
        "triggers/note.yaml",
        "ref: demo.note\nlabel: A note\npayload_schema:\n  required: [text]\n  properties:\n    text: {type: string}\n",
    ),
    ("triggers/seen.yaml", "ref: demo.seen\nlabel: Something was seen\n"),
    (
        "sensors/look.yaml",
        "ref: demo.look\nlabel: Look once\nruntime: core.shell\nentrypoint: sensors/look.sh\ntriggers: [demo.seen]\npoll_interval: 3600\n",
    ),
    ("sensors/look.sh", "#!/bin/sh\necho '{\"events\": [{\"what\": \"a bird\"}]}'\n"),
    (
        "rules/repeat_note.yaml",
        "ref: demo.repeat_note\ntrigger: demo.note\naction: demo.repeat\naction_params:\n  text: \"{{ event.payload.text }}\"\n",
    ),
    (
        "rules/loud_note.yaml",
        "ref: demo.loud_note\ntrigger: demo.note\nconditions:\n  - {field: payload.text, operator: ends_with, value: \"!\"}\naction: demo.repeat\naction_params:\n  text: \"{{ event.payload.loudness }}\"\n",
    ),
    (
        "actions/repeat.yaml",
        "ref: demo.repeat\ndescription: Gives back what it was given\nruntime: core.shell\nentrypoint: actions/repeat.sh\nparam_schema:\n  required: [text]\n  properties:\n    text: {type: string}\n",
    ),
    ("actions/repeat.sh", "#!/bin/sh\necho repeating >&2\ncat\n"),
    ("actions/fail.yaml", "ref: demo.fail\nruntime: core.shell\nentrypoint: actions/fail.sh\n"),
    ("actions/fail.sh", "#!/bin/sh\necho 'no paper in the printer' >&2\nexit 3\n"),
    (
        "actions/mute.yaml",
        "ref: demo.mute\nruntime: core.shell\nentrypoint: actions/repeat.sh\nenabled: false\n",
    ),
    ("actions/bytes.yaml", "ref: demo.bytes\nruntime: core.shell\nentrypoint: actions/bytes.sh\n"),
    ("actions/bytes.sh", "#!/bin/sh\nprintf 'a\\000b\\377\\nno end of line: \\303\\251' >&2\n"),
];

/// The same, with one file replaced or added.
pub(crate) fn demo_with<'a>(path: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut files: Vec<_> = DEMO.into_iter().filter(|(other, _)| *other != path).collect();
    files.push((path, text));
    files
}
