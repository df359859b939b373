//! The processes of the system, as `/proc` shows them.

use core::ffi::{CStr, c_int};

use crate::sys::Descriptor;

#[derive(Clone, Copy)]
pub(crate) struct Process {
    pub(crate) pid: c_int,
    pub(crate) parent: c_int,
    /// Ticks since boot: with the id it names one process for ever.
    pub(crate) started: u64,
    pub(crate) ended: bool,
}

/// Shows every process that has a number now.
pub(crate) fn for_each(mut see: impl FnMut(Process)) {
    let Some(directory) = Descriptor::open(c"/proc") else { return };
    let mut buffer = [0; 8192];
    loop {
        let mut entries = directory.read_entries(&mut buffer);
        if entries.is_empty() {
            return;
        }
        while let Some((name, rest)) = next_name(entries) {
            if let Some(process) = number(name).and_then(look_at) {
                see(process);
            }
            entries = rest;
        }
    }
}

/// An entry is its number, an offset, its own length (two bytes at 16), a type, and from 19 on the name.
fn next_name(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u16::from_le_bytes([*entries.get(16)?, *entries.get(17)?]);
    let (entry, rest) = entries.split_at_checked(length.into())?;
    Some((CStr::from_bytes_until_nul(entry.get(19..)?).ok()?.to_bytes(), rest))
}

fn number(digits: &[u8]) -> Option<c_int> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// The process that has this number now.
pub(crate) fn look_at(pid: c_int) -> Option<Process> {
    let mut path = [0; 24];
    let file = Descriptor::open(stat_path(pid, &mut path)?)?;
    let mut buffer = [0; 1024];
    parse(pid, file.read(&mut buffer))
}

/// `/proc/PID/stat`.
fn stat_path(pid: c_int, path: &mut [u8; 24]) -> Option<&CStr> {
    let mut digits = [0; 10];
    let digits = decimal(u32::try_from(pid).ok()?, &mut digits);
    let text = b"/proc/".iter().chain(digits).chain(b"/stat");
    for (place, byte) in path.iter_mut().zip(text) {
        *place = *byte;
    }
    CStr::from_bytes_until_nul(path).ok()
}

/// A number's digits.
pub(crate) fn decimal(number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let (mut first, mut left) = (digits.len(), number);
    loop {
        first -= 1;
        digits[first] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return &digits[first..];
        }
    }
}

/// `pid (name) state parent …`, the start time being the twentieth after the name. The name may hold anything,
/// parentheses too, so the fields are counted from the last one.
fn parse(pid: c_int, stat: &[u8]) -> Option<Process> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = core::str::from_utf8(&stat[name_end + 1..]).ok()?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Process { pid, parent, started, ended })
}
