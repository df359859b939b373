//! Warm hosts with a real interpreter.

mod faults;
mod lanes;
mod life;
mod machine;
mod spent;
