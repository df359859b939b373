//! A runtime row, typed: how to find out whether a machine has it ([`distributions`]), and how it runs ([`execution`]).

pub mod distributions;
pub mod execution;
