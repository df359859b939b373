//! Warm hosts with real interpreters.

mod faults;
mod lanes;
mod life;
mod machine;
mod spent;
mod strays;
