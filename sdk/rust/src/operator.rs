//! What an operator is.

use crate::config::Config;
use crate::context::{Context, FiredTimer, Record};
use crate::declare::Declare;
use crate::error::{Error, Result};

/// An operator: declare what it keeps in `new`, handle records in `process`.
///
/// Each subtask has its own instance, whose functions are called one at a time; the thread may
/// change between calls.
///
/// [`Error::BadRecord`] sets the record in hand aside with its reason, and takes back what was
/// emitted for it, though not what was written to state: check first, then write.  Any other error,
/// and a panic, ends the job with its text.
pub trait Operator: Sized + 'static {
    /// Its name in the plugin: `a-z`, `0-9`, `-`.
    const ID: &'static str;
    /// What it does, in one line.
    const SUMMARY: &'static str;
    /// Whether its records have keys: needed for state per key and timers.
    const KEYED: bool = false;
    /// Whether it wants records without key too; otherwise the host sets them aside.
    const ACCEPTS_RECORDS_WITHOUT_KEY: bool = false;
    /// How many inputs it takes.
    const INPUT_COUNT: u32 = 1;
    /// How many broadcast inputs it takes at most.
    const BROADCAST_INPUT_COUNT: u32 = 0;
    /// What the main output is called.
    const MAIN_OUTPUT: &'static str = "main";

    /// Makes an instance with the default configuration, and declares its states, timers, outputs
    /// and metrics: the same ones each time.
    fn new(declare: &mut Declare) -> Self;

    /// Takes over the configuration of the job file.
    fn configure(&mut self, config: &Config) -> Result {
        config.allow_only(&[])
    }

    /// Begins, before the first record.  Operator state has what the checkpoint had.
    fn open(&mut self, _context: &mut Context<'_>) -> Result {
        Ok(())
    }

    /// Handles a record.
    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result;

    /// Handles a timer that is due; state, outputs and timers are those of the timer's key.
    fn on_timer(&mut self, _timer: FiredTimer<'_>, _context: &mut Context<'_>) -> Result {
        Ok(())
    }

    /// Event time has reached this; all timers due by then have fired.  No record is in hand.
    fn on_watermark(&mut self, _time: i64, _context: &mut Context<'_>) -> Result {
        Ok(())
    }

    /// Handles a record of a broadcast input, as every subtask does: broadcast state can be
    /// changed, state per key and timers are out of reach.
    fn process_broadcast(&mut self, _record: Record<'_>, _context: &mut Context<'_>) -> Result {
        Err(Error::fatal("the operator has a broadcast input but no process_broadcast"))
    }

    /// The last call: what may not outlive the instance is ended here.
    fn close(&mut self) {}
}
