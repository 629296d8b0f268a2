//! What handlers get: the record or the timer in hand, and what can be done for it.

use std::marker::PhantomData;
use std::os::raw::{c_char, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::declare::{Metric, Output, Timer};
use crate::error::{found, Result};
use crate::frame::Frame;
use crate::out;
use crate::raw::*;

/// A second in microseconds, the unit of all times.
pub const SECOND: i64 = 1_000_000;

/// A record; what it lends is valid until the handler returns.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    batch: *const apus_batch,
    index: u32,
    lifetime: PhantomData<&'a apus_batch>,
}

// SAFETY: made by the SDK for an index within the batch, whose lifetime it carries.
impl<'a> Record<'a> {
    pub(crate) unsafe fn new(batch: *const apus_batch, index: u32) -> Self {
        Record { batch, index, lifetime: PhantomData }
    }

    /// Its key, if it has one.
    pub fn key(&self) -> Option<&'a [u8]> {
        unsafe {
            out::has_key(self.batch, self.index).then(|| {
                out::view_bytes((*self.batch).key.add(self.index as usize), self.batch)
            })
        }
    }

    /// Its value; empty when it has none.
    pub fn value(&self) -> &'a [u8] {
        unsafe { out::view_bytes((*self.batch).value.add(self.index as usize), self.batch) }
    }

    /// Whether it has a value, which may be empty.
    pub fn has_value(&self) -> bool {
        unsafe {
            let kind = (*self.batch).kind;
            kind.is_null() || *kind.add(self.index as usize) & APUS_KIND_NULL_VALUE == 0
        }
    }

    /// Event time in microseconds since 1970.
    pub fn time(&self) -> Option<i64> {
        let time = unsafe { *(*self.batch).ts.add(self.index as usize) };
        (time != APUS_NO_TIME).then_some(time)
    }

    /// By which of the operator's inputs it came.
    pub fn input(&self) -> u32 {
        unsafe { (*self.batch).input }
    }
}

/// A timer that is due.
#[derive(Clone, Copy)]
pub struct FiredTimer<'a> {
    timers: *const apus_timers,
    record: Record<'a>,
}

// SAFETY: as for Record.
impl<'a> FiredTimer<'a> {
    pub(crate) unsafe fn new(timers: *const apus_timers, index: u32) -> Self {
        FiredTimer { timers, record: Record::new((*timers).batch, index) }
    }

    /// Whether it is one of this declaration.
    pub fn is(&self, timer: Timer) -> bool {
        unsafe { *(*self.timers).timer.add(self.record.index as usize) == timer.index }
    }

    /// The id that it was set with.
    pub fn id(&self) -> u64 {
        unsafe { *(*self.timers).id.add(self.record.index as usize) }
    }

    /// Whose timer it is.
    pub fn key(&self) -> &'a [u8] {
        self.record.key().unwrap_or(&[])
    }

    /// What it was set for.
    pub fn time(&self) -> i64 {
        self.record.time().unwrap_or(APUS_NO_TIME)
    }

    /// What it brings along.
    pub fn payload(&self) -> &'a [u8] {
        self.record.value()
    }
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// For who writes the plugin.
    Debug = 1,
    /// Something that is as it should be.
    Info = 2,
    /// Something that somebody should look at some time.
    Warning = 3,
    /// Something that somebody should look at now.
    Error = 4,
}

/// The host that loaded this plugin; set by the entry function before anything else runs.
pub(crate) static HOST: AtomicPtr<apus_host> = AtomicPtr::new(std::ptr::null_mut());

/// What a handler can do for the record or the timer in hand: emit, keep state, set timers.
pub struct Context<'a> {
    pub(crate) frame: &'a mut Frame,
    pub(crate) record: u32,
}

// SAFETY: the frame's pointers are the host's, for the callback in hand; the host checks `record`
// in each of its functions.
impl<'a> Context<'a> {
    pub(crate) fn new(frame: &'a mut Frame, record: u32) -> Self {
        Context { frame, record }
    }

    pub(crate) fn ctx(&self) -> *mut apus_ctx {
        self.frame.ctx
    }

    /// What event time has reached; `None` before the first watermark.
    pub fn watermark(&self) -> Option<i64> {
        let time = unsafe { (*self.ctx()).watermark_us };
        (time != i64::MIN).then_some(time)
    }

    /// Processing time, read once per call of the host.
    pub fn now(&self) -> i64 {
        unsafe { (*self.ctx()).now_us }
    }

    /// Emits a record with the key and the time of the one in hand.
    pub fn emit(&mut self, value: impl AsRef<[u8]>) -> Result {
        self.emit_to(Output::MAIN, value)
    }

    /// The same by another output.
    pub fn emit_to(&mut self, output: Output, value: impl AsRef<[u8]>) -> Result {
        let value = value.as_ref();
        unsafe {
            let out = self.frame.output(output.index)?;
            let batch = self.frame.batch;
            if !batch.is_null() && self.frame.has_room(out, value.len()) {
                out::emit_keyed(out, batch, self.record, value);
                return Ok(());
            }
            let key = self.in_hand().and_then(|record| record.key());
            self.frame.set_aside(output.index, 0, key, value, self.time())
        }
    }

    /// Emits a record with a key and a time of its own.
    pub fn emit_with_key(
        &mut self,
        output: Output,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        time: i64,
    ) -> Result {
        let (key, value) = (key.as_ref(), value.as_ref());
        unsafe {
            let out = self.frame.output(output.index)?;
            if self.frame.has_room(out, key.len() + value.len()) {
                out::emit(out, Some(key), value, time, 0);
                return Ok(());
            }
            self.frame.set_aside(output.index, 0, Some(key), value, time)
        }
    }

    /// Hands the record in hand on as it is, without copying its bytes.
    pub fn forward(&mut self) -> Result {
        self.forward_to(Output::MAIN)
    }

    /// The same by another output.
    pub fn forward_to(&mut self, output: Output) -> Result {
        unsafe {
            let out = self.frame.output(output.index)?;
            let record = match self.in_hand() {
                Some(record) => record,
                None => return Err(crate::Error::fatal("no record is in hand to be forwarded")),
            };
            if self.frame.has_room(out, 0) {
                out::forward(out, self.frame.batch, self.record);
                return Ok(());
            }
            let kind = if record.has_value() { 0 } else { APUS_KIND_NULL_VALUE };
            self.frame.set_aside(output.index, kind, record.key(), record.value(), self.time())
        }
    }

    /// The record in hand, for as long as the callback runs.
    fn in_hand(&self) -> Option<Record<'static>> {
        if self.frame.batch.is_null() {
            return None;
        }
        Some(unsafe { Record::new(self.frame.batch, self.record) })
    }

    fn time(&self) -> i64 {
        match self.in_hand() {
            Some(record) => record.time().unwrap_or(APUS_NO_TIME),
            None => unsafe { (*self.ctx()).watermark_us },
        }
    }

    /// Sets a timer of the key in hand, or moves it.  One whose time has passed fires at once.
    pub fn set(&mut self, timer: Timer, time: i64) -> Result {
        self.set_with(timer, 0, time, [])
    }

    /// Sets a timer with an id, which tells timers of one declaration apart, and a payload, which
    /// it brings along when it fires.
    pub fn set_with(
        &mut self,
        timer: Timer,
        id: u64,
        time: i64,
        payload: impl AsRef<[u8]>,
    ) -> Result {
        let payload = payload.as_ref();
        let code = unsafe {
            let ctx = self.ctx();
            let bytes = payload.as_ptr() as *const c_void;
            ((*(*ctx).timers).set)(
                ctx, timer.index, id, self.record, time, bytes, payload.len() as u64,
            )
        };
        found("timer", timer.name, code).map(|_| ())
    }

    /// Cancels a timer of the key in hand; whether it was set.
    pub fn cancel(&mut self, timer: Timer, id: u64) -> Result<bool> {
        let code = unsafe {
            let ctx = self.ctx();
            ((*(*ctx).timers).cancel)(ctx, timer.index, id, self.record)
        };
        found("timer", timer.name, code)
    }

    /// Adds to a metric.
    pub fn count(&mut self, metric: Metric, amount: u64) {
        unsafe {
            let cell = (*self.ctx()).counters.add(metric.index as usize);
            *cell = (*cell).wrapping_add(amount);
        }
    }

    /// Logs a line; the host keeps at most 100 a second per instance.
    pub fn log(&self, level: Level, text: &str) {
        unsafe {
            if let Some(host) = HOST.load(Ordering::Acquire).as_ref() {
                if level as u32 >= *host.log_level {
                    let bytes = text.as_ptr() as *const c_char;
                    (host.log)((*self.ctx()).instance, level as u32, bytes, text.len() as u64);
                }
            }
        }
    }
}
