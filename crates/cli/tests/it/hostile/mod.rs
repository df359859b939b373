//! Packs of an author who means harm: on disk, and as archives that no command of ours would make. Each is refused with a
//! message, nothing is unpacked, and Attune goes on.

mod archives;
mod definitions;
mod directories;
mod upload;
