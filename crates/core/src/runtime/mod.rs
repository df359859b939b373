//! A runtime row, typed: how to find out whether a machine has it ([`distributions`]), how to install it
//! ([`installation`]), and how it runs ([`execution`]).

pub mod distributions;
pub mod execution;
pub mod installation;
