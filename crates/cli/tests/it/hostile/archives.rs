//! Archives, made byte by byte where a proper tool would refuse to.

use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compression, FlushCompress};
use tar::{Builder, EntryType, Header};

use super::definitions::{self, PLACE};

pub(super) const MANIFEST: &str = "ref: demo\nname: Demo\nversion: 1.0.0\n";
const MEGABYTE: usize = 1024 * 1024;

type Entries = Builder<GzEncoder<Vec<u8>>>;

/// An archive and what it is called.
pub(super) type Named = (String, Vec<u8>);

/// Every one of them.
pub(super) fn all() -> Vec<Named> {
    let good = packed(|_| ());
    let mut all: Vec<Named> = [paths(), kinds(), sizes(), torn(&good)].concat();
    all.extend(definitions::all().iter().map(|definition| {
        (definition.name.to_owned(), packed(|entries| append(entries, PLACE, &definition.content)))
    }));
    all
}

/// The pack that is good, with something added.
pub(super) fn packed(add: impl FnOnce(&mut Entries)) -> Vec<u8> {
    archive(Compression::fast(), |entries| {
        append(entries, "pack.yaml", MANIFEST.as_bytes());
        add(entries);
    })
}

fn paths() -> Vec<Named> {
    let of = |name: &str, path: &str| (name.to_owned(), packed(|entries| append(entries, path, b"x")));
    let through_a_link = packed(|entries| {
        link(entries, EntryType::Symlink, "out");
        append(entries, "out/passwd", b"x");
    });
    let not_utf_8 = packed(|entries| entry(entries, b"x\xff", EntryType::Regular, 1, b"x"));
    vec![
        of("path_up", "../../etc/cron.d/x"),
        of("path_up_within", "actions/../../x"),
        of("path_absolute", "/etc/cron.d/x"),
        of("path_twice", "pack.yaml"),
        of("path_below_a_file", "pack.yaml/x"),
        of("path_long", &"d/".repeat(40)),
        ("path_through_a_link".to_owned(), through_a_link),
        ("path_not_utf_8".to_owned(), not_utf_8),
        (
            "long_name".to_owned(),
            packed(|entries| {
                let name = vec![b'x'; 40 * MEGABYTE];
                entry(entries, b"@", EntryType::GNULongName, name.len() as u64, &name);
            }),
        ),
    ]
}

fn kinds() -> Vec<Named> {
    use EntryType as T;
    let of = |name: &str, kind| (name.to_owned(), packed(|entries| link(entries, kind, "x")));
    vec![
        of("symbolic_link", T::Symlink),
        of("hard_link", T::Link),
        of("device", T::Block),
        of("terminal", T::Char),
        of("pipe", T::Fifo),
    ]
}

fn sizes() -> Vec<Named> {
    let many = archive(Compression::none(), |entries| {
        (0..100_000).for_each(|n| append(entries, &n.to_string(), b""));
    });
    let mut header = header(b"x", EntryType::Regular, 1 << 30).as_bytes().to_vec();
    header.resize(MEGABYTE, 0);
    let definitions = packed(|entries| {
        let list = format!("ref: demo.x\na: &a [{}]\nb: [{}]\n", "1,".repeat(1_000), "*a,".repeat(15));
        (0..9_000).for_each(|n| append(entries, &format!("triggers/{n}.yaml"), list.as_bytes()));
    });
    let faults = packed(|entries| {
        let keys = (0..9_000).map(|n| format!("k{n}: 1\n")).collect::<Vec<_>>().concat();
        (0..100).for_each(|n| append(entries, &format!("triggers/{n}.yaml"), keys.as_bytes()));
    });
    vec![
        ("many_files".to_owned(), many),
        ("one_gigabyte".to_owned(), bomb(&header, 1024)),
        ("zeros_without_end".to_owned(), bomb(&[], 1024)),
        (
            "lying_size".to_owned(),
            packed(|entries| entry(entries, b"x", EntryType::Regular, 10_000_000, b"short")),
        ),
        ("definitions_that_explode_together".to_owned(), definitions),
        ("a_million_faults".to_owned(), faults),
    ]
}

fn torn(good: &[u8]) -> Vec<Named> {
    let owned = |name: &str, bytes: Vec<u8>| (name.to_owned(), bytes);
    let mut checksum = good.to_vec();
    let at = checksum.len() - 6;
    checksum[at] ^= 1;
    vec![
        owned("empty_body", Vec::new()),
        owned("empty_archive", archive(Compression::fast(), |_| ())),
        owned("no_gzip", b"PK\x03\x04 a zip file".to_vec()),
        owned("no_tar", gzip(b"hello")),
        owned("truncated", good[..good.len() / 2].to_vec()),
        owned("wrong_checksum", checksum),
        owned("two_members", [good, good].concat()),
        owned("trailing_data", [good, b"x"].concat()),
    ]
}

fn archive(level: Compression, fill: impl FnOnce(&mut Entries)) -> Vec<u8> {
    let mut entries = Builder::new(GzEncoder::new(Vec::new(), level));
    fill(&mut entries);
    entries.into_inner().unwrap().finish().unwrap()
}

fn append(entries: &mut Entries, path: &str, content: &[u8]) {
    entry(entries, path.as_bytes(), EntryType::Regular, content.len() as u64, content);
}

fn link(entries: &mut Entries, kind: EntryType, path: &str) {
    entry(entries, path.as_bytes(), kind, 0, b"");
}

/// The path and the size are written as they are.
fn entry(entries: &mut Entries, path: &[u8], kind: EntryType, size: u64, content: &[u8]) {
    entries.append(&header(path, kind, size), content).unwrap();
}

fn header(path: &[u8], kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    header
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A gzip stream of `first` and then so many megabytes of zeros, in a few kilobytes for each: one block, again and again.
/// It has no end, which nobody should come to.
fn bomb(first: &[u8], megabytes: usize) -> Vec<u8> {
    let mut stream = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    stream.extend(blocks(first));
    let zeros = blocks(&vec![0; MEGABYTE]);
    (0..megabytes).for_each(|_| stream.extend(&zeros));
    stream
}

/// Deflated so that it ends on a byte and refers to nothing before it.
fn blocks(content: &[u8]) -> Vec<u8> {
    let mut deflate = flate2::Compress::new(Compression::fast(), false);
    let mut out = Vec::with_capacity(content.len() / 8 + 1024);
    deflate.compress_vec(content, &mut out, FlushCompress::Full).unwrap();
    assert_eq!(deflate.total_in(), content.len() as u64);
    out
}
