//! Expressions: compiled once from their text, bound to a request's names and values, then run over items.
//!
//! ```
//! use model::{Item, Number, Value, expression::{Binder, Condition}};
//! use std::sync::Arc;
//!
//! // Cacheable by text: holds no name or value of a request.
//! let condition = Arc::new(Condition::compile("stock >= :wanted")?);
//! // The request's placeholders; each program bound marks those it uses.
//! let mut binder = Binder::new(None, Some(vec![(":wanted".to_owned(), Value::N(Number::from(2u64)))]))?;
//! let condition = binder.bind(&condition)?;
//! binder.finish()?;
//!
//! let item = Item::from_iter([("stock", Number::from(3u64))]);
//! assert!(condition.evaluate(Some(item.view()))?);
//! # Ok::<(), model::expression::ExpressionError>(())
//! ```

mod bind;
mod condition;
mod error;
mod key_condition;
mod parse;
mod path;
mod projection;
mod reserved;
mod token;
mod update;

pub use bind::{Binder, Bound, Program};
pub use condition::Condition;
pub use error::{ErrorKind, ExpressionError};
pub use key_condition::{KeyCondition, KeyNames, KeyQuery, RangeCondition};
pub use projection::Projection;
pub use update::{Update, Updated};
