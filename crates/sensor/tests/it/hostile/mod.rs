//! The programs of `corpus/programs` as sensors, all of a kind at once in one service: each has its named outcome, and what
//! it does costs its neighbours nothing.

mod outcome;
mod polled;
mod running;
mod streams;
