//! The three operators as a plugin.

mod dedup;
mod fields;
mod filter;
mod sessions;

use apus::{Error, Record, Result, SECOND};

pub use dedup::Dedup;
pub use filter::Filter;
pub use sessions::Sessions;

apus::plugin! {
    id: "apus.samples.operators", version: "1.0.0", vendor: "Apus",
    operators: [Filter, Sessions, Dedup]
}

/// The record's time, if it is one that durations can be added to.
fn time_of(record: &Record<'_>) -> Result<i64> {
    record
        .time()
        .filter(|time| (0..253_402_300_800 * SECOND).contains(time))
        .ok_or_else(|| Error::bad_record("the record has no time of 1970 to 9999"))
}

#[cfg(test)]
mod tests;
