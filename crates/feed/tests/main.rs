//! The feed over a real engine, with targets and a clock that a seed decides.

mod books;
mod simulator;
