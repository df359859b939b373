//! A list that grows in reserved address space: the launcher has no allocator, and needs none for this.

#![expect(unsafe_code, reason = "the elements live in memory that comes from the kernel as an address")]

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use crate::sys;

/// Enough for every process that a kernel can have (four million), as long as an element is at most this many bytes.
const PROCESSES: usize = 4 << 20;
const ELEMENT: usize = 24;

/// A list of plain values, which reserves its space when the first of them comes.
pub(crate) struct Table<T> {
    start: NonNull<T>,
    length: usize,
    capacity: usize,
    element: PhantomData<T>,
}

impl<T: Copy> Table<T> {
    pub(crate) fn new() -> Self {
        const { assert!(size_of::<T>() <= ELEMENT) };
        Self { start: NonNull::dangling(), length: 0, capacity: 0, element: PhantomData }
    }

    /// A system that promises no memory that it does not have may refuse that much, or any. Without it the table stays
    /// empty, and whoever fills it tries again later.
    fn reserve(&mut self) {
        for capacity in [PROCESSES, PROCESSES / 64] {
            if let Some(start) = sys::reserve(capacity * ELEMENT) {
                (self.start, self.capacity) = (start.cast(), capacity);
                return;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    /// Adds an element, unless the table is full.
    pub(crate) fn push(&mut self, element: T) {
        if self.capacity == 0 {
            self.reserve();
        }
        if self.length < self.capacity {
            // SAFETY: the place is inside the reserved memory, which nobody else knows.
            unsafe { self.start.add(self.length).write(element) };
            self.length += 1;
        }
    }
}

impl<T> Deref for Table<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: so many elements have been written.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for Table<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: so many elements have been written, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}
