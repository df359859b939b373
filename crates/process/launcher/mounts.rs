//! The file system as a sandbox shows it, in a mount namespace that nobody else sees.
//!
//! Whatever the program needs, its working directory first, is taken hold of before anything is covered, and put back
//! into its place afterwards.

use core::ffi::{CStr, c_int};

use crate::filesystem::{
    self, Detached, keep_mounts_private, make_directories, make_directory, make_file, make_link, mount,
};
use crate::order::{MOST_VISIBLE, Order, Sandbox};

const DEVICES: [&CStr; 5] = [c"/dev/null", c"/dev/zero", c"/dev/full", c"/dev/random", c"/dev/urandom"];

const LINKS: [(&CStr, &CStr); 4] = [
    (c"/proc/self/fd", c"/dev/fd"),
    (c"/proc/self/fd/0", c"/dev/stdin"),
    (c"/proc/self/fd/1", c"/dev/stdout"),
    (c"/proc/self/fd/2", c"/dev/stderr"),
];

/// Arranges it as the order says.
pub(crate) fn arrange(order: &Order) -> Result<(), c_int> {
    keep_mounts_private()?;
    let mut kept = [const { None }; MOST_VISIBLE + 1];
    for (place, path) in kept.iter_mut().zip(order.visible.into_iter().flatten().chain([order.directory])) {
        // The root itself cannot be put anywhere, and is not covered.
        if path != c"/" {
            *place = Some((path, Detached::copy_of(path)?));
        }
    }
    mount(c"proc", c"/proc", c"")?;
    mount(c"tmpfs", c"/tmp", c"mode=1777,size=64m")?;
    if order.sandbox == Sandbox::Strict {
        few_devices()?;
    }
    for (path, tree) in kept.iter().flatten() {
        make_directories(path);
        tree.put(path)?;
    }
    if order.sandbox == Sandbox::Strict { nothing_to_write_but(order.directory) } else { Ok(()) }
}

/// Of the devices, those that hold nothing of this machine.
fn few_devices() -> Result<(), c_int> {
    let mut kept = [const { None }; DEVICES.len()];
    for (place, path) in kept.iter_mut().zip(DEVICES) {
        *place = Some(Detached::copy_of(path)?);
    }
    mount(c"tmpfs", c"/dev", c"mode=755,size=64m")?;
    for (tree, path) in kept.iter().flatten().zip(DEVICES) {
        make_file(path)?;
        tree.put(path)?;
    }
    make_directory(c"/dev/shm")?;
    LINKS.iter().try_for_each(|(target, link)| make_link(target, link))
}

/// What is private and goes with the program stays writable too.
fn nothing_to_write_but(directory: &CStr) -> Result<(), c_int> {
    filesystem::make_read_only(c"/")?;
    for path in [c"/tmp", c"/dev", directory] {
        if path != c"/" {
            filesystem::make_writable(path)?;
        }
    }
    Ok(())
}
