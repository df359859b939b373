//! Real programs, started the way the services start them.

mod daemon;
