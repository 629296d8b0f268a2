//! Write operators for Apus in Rust.
//!
//! ```
//! use apus::{Context, Counter, Declare, FiredTimer, Operator, Record, Result, Timer, SECOND};
//!
//! /// Counts the visits of each customer, until a day without any.
//! struct Visits {
//!     visits: Counter,
//!     quiet: Timer,
//! }
//!
//! impl Operator for Visits {
//!     const ID: &'static str = "visits";
//!     const SUMMARY: &'static str = "counts visits until a day without any";
//!     const KEYED: bool = true;
//!
//!     fn new(declare: &mut Declare) -> Self {
//!         Visits { visits: declare.counter("visits"), quiet: declare.timer("quiet") }
//!     }
//!
//!     fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
//!         let time = record.time().ok_or_else(|| apus::Error::bad_record("no event time"))?;
//!         self.visits.add(context, 1)?;
//!         context.set(self.quiet, time + 86_400 * SECOND)
//!     }
//!
//!     fn on_timer(&mut self, _: FiredTimer<'_>, context: &mut Context<'_>) -> Result {
//!         let visits = self.visits.get(context)?;
//!         context.emit(visits.to_string())?;
//!         self.visits.clear(context)
//!     }
//! }
//!
//! apus::plugin! {
//!     id: "com.example.visits", version: "1.0.0", vendor: "Example", operators: [Visits]
//! }
//! # fn main() {}
//! ```
//!
//! The crate of the plugin is a `cdylib`; it exports its entry function and nothing else.  Outputs
//! that are full, results and resumption are the SDK's business; panics become errors.  What a
//! record lends is valid until the handler returns, which the compiler checks.
#![warn(missing_docs)]
#![allow(clippy::missing_safety_doc)]

pub mod codec;
mod config;
mod context;
mod declare;
mod error;
mod frame;
mod json;
mod operator;
mod out;
mod plugin;
pub mod raw;
mod shared;
mod state;
#[cfg(feature = "testing")]
pub mod testing;

pub use codec::{Codec, Decoder, Raw};
pub use config::Config;
pub use context::{Context, FiredTimer, Level, Record, SECOND};
pub use declare::{Declare, Domain, Metric, Output, Redistribution, Timer};
pub use error::{Error, Result};
pub use operator::Operator;
#[doc(hidden)]
pub use plugin::{component, describe, note, PluginCell};
pub use shared::{Broadcast, OperatorList};
pub use state::{Counter, List, Map, Value};
