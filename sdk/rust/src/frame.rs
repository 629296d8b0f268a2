//! One callback at work: what the host lent for it, and how far it has come.
//!
//! Handlers never see that an output is full: emitting never calls `more`, so nothing is handed
//! over while a handler runs and all of it can be taken back.  What finds no room is set aside and
//! written between records.  If the host takes no more even then, the record in hand is reported
//! as not done, and when the host calls again the work goes on behind it.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use crate::context::Context;
use crate::error::{fill, Error, Result};
use crate::out;
use crate::raw::*;

struct SetAside {
    output: u32,
    kind: u8,
    key: Option<Vec<u8>>,
    value: Vec<u8>,
    time: i64,
}

/// What remains to be said when the outputs have room again.
enum Pending {
    Done,
    Bad(String),
}

pub(crate) struct Frame {
    pub(crate) ctx: *mut apus_ctx,
    /// NULL while no record is in hand.
    pub(crate) batch: *const apus_batch,
    pub(crate) key_scratch: Vec<u8>,
    pub(crate) value_scratch: Vec<u8>,
    in_hand: u32,
    marks: Vec<apus_mark>,
    set_aside: Vec<SetAside>,
    written: usize,
    set_aside_at_mark: usize,
    pending: Option<Pending>,
}

// SAFETY of all functions here: `ctx` and `batch` are the host's, valid for the callback in hand;
// `run` and `run_alone` set them at its beginning.
impl Frame {
    pub(crate) fn new() -> Self {
        Frame {
            ctx: ptr::null_mut(),
            batch: ptr::null(),
            key_scratch: Vec::new(),
            value_scratch: Vec::new(),
            in_hand: 0,
            marks: Vec::new(),
            set_aside: Vec::new(),
            written: 0,
            set_aside_at_mark: 0,
            pending: None,
        }
    }

    /// Calls `handle` with each record that is to be handled; the callback's result.
    pub(crate) unsafe fn run(
        &mut self,
        ctx: *mut apus_ctx,
        batch: *const apus_batch,
        mut handle: impl FnMut(u32, &mut Context<'_>) -> Result,
    ) -> i32 {
        self.ctx = ctx;
        self.batch = batch;
        let count = (*batch).count;
        let mut record = (*ctx).at;
        self.in_hand = record;
        if self.pending.is_some() {
            if !self.write_set_aside() {
                return self.stop_at(record);
            }
            match self.pending.take() {
                Some(Pending::Bad(reason)) => return self.report_bad(&reason),
                _ => record += 1,
            }
        }
        while record < count {
            self.in_hand = record;
            self.mark();
            let result = caught(|| handle(record, &mut Context::new(self, record)));
            if let Err(error) = result {
                return self.fail(error);
            }
            if !self.set_aside.is_empty() || *(*ctx).stop != 0 {
                if !self.write_set_aside() {
                    self.pending = Some(Pending::Done);
                    return self.stop_at(record);
                }
                if *(*ctx).stop != 0 && record + 1 < count {
                    return self.stop_at(record + 1);
                }
            }
            record += 1;
        }
        APUS_OK
    }

    /// The same for a callback without records.
    pub(crate) unsafe fn run_alone(
        &mut self,
        ctx: *mut apus_ctx,
        handle: impl FnOnce(&mut Context<'_>) -> Result,
    ) -> i32 {
        self.ctx = ctx;
        self.batch = ptr::null();
        self.mark();
        match caught(|| handle(&mut Context::new(self, u32::MAX))) {
            Err(error) => self.fail(error),
            Ok(()) if self.write_set_aside() => APUS_OK,
            Ok(()) => self.fail(Error::fatal("more was emitted than the host takes from one call")),
        }
    }

    pub(crate) unsafe fn output(&self, index: u32) -> Result<*mut apus_out> {
        if index >= (*self.ctx).out_count {
            return Err(Error::fatal("the output was not declared by the operator"));
        }
        Ok(*(*self.ctx).outs.add(index as usize))
    }

    pub(crate) unsafe fn has_room(&self, out: *const apus_out, bytes: usize) -> bool {
        self.set_aside.is_empty() && out::has_room(out, bytes)
    }

    pub(crate) fn set_aside(
        &mut self,
        output: u32,
        kind: u8,
        key: Option<&[u8]>,
        value: &[u8],
        time: i64,
    ) -> Result {
        if value.len() + key.map_or(0, <[u8]>::len) >= i32::MAX as usize {
            return Err(Error::fatal(format!("a record of {} bytes is too long", value.len())));
        }
        let (key, value) = (key.map(<[u8]>::to_vec), value.to_vec());
        self.set_aside.push(SetAside { output, kind, key, value, time });
        Ok(())
    }

    unsafe fn fail(&mut self, error: Error) -> i32 {
        match error {
            Error::BadRecord(reason) if !self.batch.is_null() => {
                self.take_back();
                if self.write_set_aside() {
                    return self.report_bad(&reason);
                }
                self.pending = Some(Pending::Bad(reason));
                self.stop_at(self.in_hand)
            }
            error => {
                (*self.ctx).at = self.in_hand;
                fill((*self.ctx).error, APUS_FATAL, error.reason())
            }
        }
    }

    unsafe fn stop_at(&self, record: u32) -> i32 {
        (*self.ctx).at = record;
        APUS_YIELD
    }

    unsafe fn report_bad(&self, reason: &str) -> i32 {
        (*self.ctx).at = self.in_hand;
        fill((*self.ctx).error, APUS_RECORD, reason)
    }

    unsafe fn outs(&self) -> &'static [*mut apus_out] {
        std::slice::from_raw_parts((*self.ctx).outs, (*self.ctx).out_count as usize)
    }

    unsafe fn mark(&mut self) {
        self.marks.clear();
        for out in self.outs() {
            self.marks.push(out::mark(*out));
        }
        self.set_aside_at_mark = self.set_aside.len();
    }

    /// Takes back what was emitted for the record in hand.
    ///
    /// Outputs are handed over between records only, so this always finds the mark's segment.
    unsafe fn take_back(&mut self) {
        for (out, mark) in self.outs().iter().zip(&self.marks) {
            out::rollback(*out, mark);
        }
        self.set_aside.truncate(self.set_aside_at_mark);
    }

    /// Writes what was set aside; whether the host took all of it.
    unsafe fn write_set_aside(&mut self) -> bool {
        while let Some(record) = self.set_aside.get(self.written) {
            let out = self.outs()[record.output as usize];
            let key = record.key.as_deref();
            let bytes = key.map_or(0, <[u8]>::len) + record.value.len();
            if !out::has_room(out, bytes) {
                let more = (*out).more.map_or(APUS_LIMIT, |more| more(out, bytes as u64));
                if more != APUS_OK {
                    return false;
                }
            }
            out::emit(out, key, &record.value, record.time, record.kind);
            self.written += 1;
        }
        self.set_aside.clear();
        self.written = 0;
        true
    }
}

/// Runs a handler; a panic becomes an error.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|panic| Err(Error::fatal(format!("panic: {}", message(&*panic)))))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<String>() {
        return text;
    }
    panic.downcast_ref::<&str>().copied().unwrap_or("something that is no text")
}
