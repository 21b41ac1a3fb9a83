//! The model's rules as tables of cases, and its laws under seeded random values.

mod conditions;
mod garbage;
mod images;
mod key_conditions;
mod keys;
mod laws;
mod notation;
mod partiql;
mod projections;
mod random;
mod updates;
