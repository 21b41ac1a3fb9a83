//! Knows what a table holds: values, items, numbers, keys, their encoded images, and the expressions over them.
//! Never sees a clock, a file, a socket, JSON, or the name of an operation.
//!
//! Everything here is a plain function of its arguments. The words of expression errors are the service's own.

pub mod expression;
pub mod image;
mod item;
pub mod key;
mod number;
pub mod partiql;
pub mod pattern;
mod value;
mod view;
mod visit;

pub use image::{CorruptImage, Image};
pub use item::Item;
pub use number::{Number, NumberError};
pub use value::{DEPTH_MAX, SetFault, Type, Value};
pub use view::{ListView, SetView, ValueView, View};
pub use visit::{Scalar, Visitor};
