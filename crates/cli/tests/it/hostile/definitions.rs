//! Definitions: YAML that explodes, nests, repeats itself, or is no YAML at all.

use std::path::Path;

/// One file of a pack that is good otherwise, and its content.
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) content: Vec<u8>,
}

/// Where the content lies in the pack.
pub(super) const PLACE: &str = "triggers/x.yaml";

/// Every one of them. Those that mean no harm are here because a careless reader would refuse them.
pub(super) fn all() -> Vec<Definition> {
    let of = |name, content: &str| Definition { name, content: content.as_bytes().to_vec() };
    let raw = |name, content: &[u8]| Definition { name, content: content.to_vec() };
    vec![
        of("billion_laughs", &billion_laughs()),
        of("merge_keys", "ref: demo.x\nparam_schema: &a {type: object}\npayload_schema:\n  <<: *a\n"),
        of("duplicate_keys", "ref: demo.x\nlabel: one\nlabel: two\n"),
        of(
            "deep_flow",
            &format!("ref: demo.x\npayload_schema: {}{}\n", "[".repeat(50_000), "]".repeat(50_000)),
        ),
        of("deep_blocks", &format!("ref: demo.x\npayload_schema:\n  {}1\n", "- ".repeat(5_000))),
        of("long_scalar", &format!("ref: demo.x\nlabel: {}\n", "x".repeat(2_000_000))),
        of("tabs", "ref: demo.x\npayload_schema:\n\ttype: object\n"),
        of("nul", "ref: demo.x\nlabel: \"a\\0b\"\n"),
        of("two_documents", "ref: demo.x\n---\nref: demo.y\n"),
        of("a_tag", "ref: !!binary ZGVtby54\n"),
        of("crlf", "ref: demo.x\r\nlabel: fine\r\n"),
        of("byte_order_mark", "\u{feff}ref: demo.x\n"),
        raw("utf_16", &"ref: demo.x\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        raw("no_utf_8", b"ref: demo.x\nlabel: \xff\xfe\n"),
        raw("binary", b"\x7fELF\x02\x01\x01\0\0\0"),
        of("nothing", ""),
    ]
}

/// Each list holds the one before ten times: ten lines that mean 3,000,000,000 words.
fn billion_laughs() -> String {
    let level = |n: u32| format!("l{n}: &l{n} [{}]\n", vec![format!("*l{}", n - 1); 10].join(", "));
    ["l0: &l0 [ha, ha, ha]\n".to_owned()].into_iter().chain((1..10).map(level)).collect()
}

/// A directory of this name with the rest of the pack.
pub(super) fn write(root: &Path, definition: &Definition) {
    let path = root.join(definition.name).join(PLACE);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(root.join(definition.name).join("pack.yaml"), super::archives::MANIFEST).unwrap();
    std::fs::write(path, &definition.content).unwrap();
}
