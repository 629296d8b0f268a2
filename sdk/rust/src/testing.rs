//! A host in memory for unit tests of operators: no runtime, and a clock that the test sets.
//!
//! Needs the feature `testing`, as a development dependency:
//! `apus = { path = "...", features = ["testing"] }`.
//!
//! ```ignore
//! let mut host = Harness::<Visits>::new(r#"{"limit":3}"#);
//! host.feed("ann", "a record", SECOND);
//! host.watermark(86_500 * SECOND);
//! assert_eq!(host.values("main"), ["1"]);
//! ```
//!
//! What a real host would fail a job for is a panic of the test.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::os::raw::{c_char, c_int};

use crate::codec::{decode_all, Codec};
use crate::operator::Operator;
use crate::plugin::{component, describe, PluginCell};
use crate::raw::*;
use crate::state::lent;

type Entry =
    Option<unsafe extern "C" fn(*const apus_host, *mut apus_error) -> *const apus_plugin>;

#[repr(C)]
struct apus_test {
    private: [u8; 0],
}

/// `apus_test_options`.
#[repr(C)]
struct RawOptions {
    size: u32,
    options: Options,
}

/// How to be a host; see `apus/test.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Which subtask the instance is.
    pub subtask: u32,
    /// How many there are; 0 is 1.
    pub parallelism: u32,
    /// Records per call at most; 0 is as many as there are.
    pub batch_records: u32,
    /// Records that an output takes until it has to be asked; 0 is 1024.
    pub records_per_segment: u32,
    /// How often it agrees in one call; 0 is always.
    pub segments_per_call: u32,
    /// Whether the host always wants its thread back.
    pub keeps_stopping: u32,
}

impl Options {
    /// Outputs that take one record at a time, and a host that always wants its thread back: what
    /// an operator does must be the same.
    pub fn narrow() -> Self {
        Options {
            records_per_segment: 1,
            segments_per_call: 1,
            keeps_stopping: 1,
            ..Options::default()
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
struct RawRecord {
    key: apus_bytes,
    value: apus_bytes,
    ts: i64,
}

extern "C" {
    fn apus_test_open(
        entry: Entry,
        component: *const c_char,
        config: *const c_char,
        options: *const RawOptions,
    ) -> *mut apus_test;
    fn apus_test_close(test: *mut apus_test);
    fn apus_test_failure(test: *const apus_test) -> *const c_char;
    fn apus_test_failure_code(test: *const apus_test) -> i32;
    fn apus_test_add(test: *mut apus_test, record: RawRecord);
    fn apus_test_run(test: *mut apus_test, input: u32);
    fn apus_test_run_broadcast(test: *mut apus_test, input: u32);
    fn apus_test_watermark(test: *mut apus_test, time: i64);
    fn apus_test_clock(test: *mut apus_test, time: i64);
    fn apus_test_restart(test: *mut apus_test, entry: Entry, config: *const c_char);
    fn apus_test_count(test: *mut apus_test, output: *const c_char) -> u64;
    fn apus_test_output(test: *mut apus_test, output: *const c_char, index: u64) -> RawRecord;
    fn apus_test_rejected_count(test: *const apus_test) -> u64;
    fn apus_test_rejected(
        test: *mut apus_test,
        index: u64,
        record: *mut RawRecord,
    ) -> *const c_char;
    fn apus_test_counter(test: *mut apus_test, counter: *const c_char) -> u64;
    fn apus_test_log_count(test: *const apus_test) -> u64;
    fn apus_test_log(test: *mut apus_test, index: u64, level: *mut u32) -> *const c_char;
    fn apus_test_forget(test: *mut apus_test);
    fn apus_test_value(
        test: *mut apus_test,
        state: *const c_char,
        key: apus_bytes,
        value: *mut apus_bytes,
    ) -> c_int;
    fn apus_test_sum(test: *mut apus_test, state: *const c_char, key: apus_bytes) -> i64;
    fn apus_test_entry_count(test: *mut apus_test, state: *const c_char, key: apus_bytes) -> u64;
    fn apus_test_entry(
        test: *mut apus_test,
        state: *const c_char,
        key: apus_bytes,
        position: u64,
    ) -> apus_entry;
    fn apus_test_shared_count(test: *mut apus_test, state: *const c_char) -> u64;
    fn apus_test_shared(test: *mut apus_test, state: *const c_char, position: u64) -> apus_entry;
    fn apus_test_key_count(test: *mut apus_test, state: *const c_char) -> u64;
    fn apus_test_timer_count(test: *mut apus_test, timer: *const c_char) -> u64;
    fn apus_test_next_timer(test: *mut apus_test, timer: *const c_char, time: *mut i64) -> c_int;
}

/// A record that went in or came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRecord {
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Vec<u8>,
    /// Event time in microseconds.
    pub time: Option<i64>,
}

impl TestRecord {
    /// A record with a key and a time.
    pub fn new(key: &str, value: &str, time: i64) -> Self {
        TestRecord { key: Some(key.into()), value: value.into(), time: Some(time) }
    }
}

/// Why an instance could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code of the ABI; 0 when it is the harness that found fault.
    pub code: i32,
    /// What is wrong.
    pub message: String,
}

/// A host for one instance of an operator.
pub struct Harness<T> {
    test: *mut apus_test,
    kind: PhantomData<T>,
}

/// An entry function for a plugin of one operator.
unsafe extern "C" fn entry<T: Operator>(
    host: *const apus_host,
    slot: *mut apus_error,
) -> *const apus_plugin {
    let cell = PluginCell::new(std::ptr::null_mut());
    describe(&cell, host, slot, ["test", "1.0.0", "test"], &[component::<T>])
}

fn name(name: &str) -> CString {
    CString::new(name).expect("a name has no zero")
}

fn bytes(slice: &[u8]) -> apus_bytes {
    apus_bytes { data: slice.as_ptr(), len: slice.len() as u64 }
}

fn record(raw: RawRecord) -> TestRecord {
    // SAFETY: the harness keeps what came out until it is closed or told to forget.
    unsafe {
        TestRecord {
            key: (!raw.key.data.is_null()).then(|| lent(raw.key).to_vec()),
            value: lent(raw.value).to_vec(),
            time: (raw.ts != APUS_NO_TIME).then_some(raw.ts),
        }
    }
}

// SAFETY of all functions here: `test` is open until it is dropped, and names end with zero.
impl<T: Operator> Harness<T> {
    /// Creates and opens an instance; panics when it refuses the configuration.
    pub fn new(config: &str) -> Self {
        Self::try_new(config, Options::default()).unwrap_or_else(|failure| {
            panic!("{} (code {})", failure.message, failure.code)
        })
    }

    /// The same with options.
    pub fn with(config: &str, options: Options) -> Self {
        Self::try_new(config, options).unwrap_or_else(|failure| {
            panic!("{} (code {})", failure.message, failure.code)
        })
    }

    /// The same, with what is wrong as a value.
    pub fn try_new(config: &str, options: Options) -> Result<Self, Failure> {
        let options = RawOptions { size: std::mem::size_of::<RawOptions>() as u32, options };
        let config = name(config);
        let test = unsafe {
            apus_test_open(Some(entry::<T>), std::ptr::null(), config.as_ptr(), &options)
        };
        let harness = Harness { test, kind: PhantomData };
        match harness.failure() {
            Some(failure) => Err(failure),
            None => Ok(harness),
        }
    }

    fn failure(&self) -> Option<Failure> {
        unsafe {
            let message = apus_test_failure(self.test);
            if message.is_null() {
                return None;
            }
            let message = CStr::from_ptr(message).to_string_lossy().into_owned();
            Some(Failure { code: apus_test_failure_code(self.test), message })
        }
    }

    fn check(&self) {
        if let Some(failure) = self.failure() {
            panic!("{} (code {})", failure.message, failure.code);
        }
    }

    fn add(&mut self, key: Option<&[u8]>, value: &[u8], time: Option<i64>) {
        let none = apus_bytes { data: std::ptr::null(), len: 0 };
        let key = key.map_or(none, bytes);
        let ts = time.unwrap_or(APUS_NO_TIME);
        unsafe { apus_test_add(self.test, RawRecord { key, value: bytes(value), ts }) };
    }

    /// Hands over one record.
    pub fn feed(&mut self, key: &str, value: &str, time: i64) {
        self.feed_record(&TestRecord::new(key, value, time));
    }

    /// Hands over one record, which may lack a key or a time.
    pub fn feed_record(&mut self, record: &TestRecord) {
        self.feed_all(std::slice::from_ref(record), 0);
    }

    /// Hands over records in one batch, by one of the operator's inputs.
    pub fn feed_all(&mut self, records: &[TestRecord], input: u32) {
        for record in records {
            self.add(record.key.as_deref(), &record.value, record.time);
        }
        unsafe { apus_test_run(self.test, input) };
        self.check();
    }

    /// Hands over a record of a broadcast input.
    pub fn broadcast(&mut self, value: &str) {
        self.add(None, value.as_bytes(), None);
        unsafe { apus_test_run_broadcast(self.test, 0) };
        self.check();
    }

    /// Event time has reached this: fires timers.
    pub fn watermark(&mut self, time: i64) {
        unsafe { apus_test_watermark(self.test, time) };
        self.check();
    }

    /// All input has ended: fires all event-time timers.
    pub fn end(&mut self) {
        self.watermark(i64::MAX);
    }

    /// The clock on the wall shows this: fires timers.
    pub fn clock(&mut self, time: i64) {
        unsafe { apus_test_clock(self.test, time) };
        self.check();
    }

    /// Goes on with another instance on the same state, as from a checkpoint.
    pub fn restart(&mut self) {
        unsafe { apus_test_restart(self.test, None, std::ptr::null()) };
        self.check();
    }

    /// The same with a newer version of the operator, which migrates what has changed.
    pub fn upgrade<N: Operator>(self) -> Harness<N> {
        unsafe { apus_test_restart(self.test, Some(entry::<N>), std::ptr::null()) };
        self.check();
        let newer = Harness { test: self.test, kind: PhantomData };
        std::mem::forget(self);
        newer
    }

    /// Forgets what came out, what was refused, and the log.
    pub fn forget(&mut self) {
        unsafe { apus_test_forget(self.test) };
    }

    /// What came out by an output.
    pub fn records(&self, output: &str) -> Vec<TestRecord> {
        let output = name(output);
        let count = unsafe { apus_test_count(self.test, output.as_ptr()) };
        self.check();
        (0..count)
            .map(|i| record(unsafe { apus_test_output(self.test, output.as_ptr(), i) }))
            .collect()
    }

    /// The values of what came out by an output, as text.
    pub fn values(&self, output: &str) -> Vec<String> {
        let records = self.records(output);
        records.iter().map(|r| String::from_utf8_lossy(&r.value).into_owned()).collect()
    }

    /// The reasons of records that were refused.
    pub fn rejected(&self) -> Vec<String> {
        let count = unsafe { apus_test_rejected_count(self.test) };
        (0..count)
            .map(|i| unsafe {
                text(apus_test_rejected(self.test, i, std::ptr::null_mut()))
            })
            .collect()
    }

    /// What a metric has come to.
    pub fn metric(&self, metric: &str) -> u64 {
        let count = unsafe { apus_test_counter(self.test, name(metric).as_ptr()) };
        self.check();
        count
    }

    /// The lines of the log.
    pub fn log(&self) -> Vec<String> {
        let count = unsafe { apus_test_log_count(self.test) };
        (0..count)
            .map(|i| unsafe { text(apus_test_log(self.test, i, std::ptr::null_mut())) })
            .collect()
    }

    /// The value of a state for a key.
    pub fn value<V: Codec>(&self, state: &str, key: &str) -> Option<V> {
        let mut found = apus_bytes { data: std::ptr::null(), len: 0 };
        let is_there = unsafe {
            apus_test_value(self.test, name(state).as_ptr(), bytes(key.as_bytes()), &mut found)
        };
        self.check();
        (is_there != 0).then(|| read(found, state))
    }

    /// The sum of a counter for a key.
    pub fn sum(&self, state: &str, key: &str) -> i64 {
        let sum = unsafe {
            apus_test_sum(self.test, name(state).as_ptr(), bytes(key.as_bytes()))
        };
        self.check();
        sum
    }

    fn entries(&self, state: &str, key: &str) -> Vec<apus_entry> {
        let (state, key) = (name(state), bytes(key.as_bytes()));
        let count = unsafe { apus_test_entry_count(self.test, state.as_ptr(), key) };
        self.check();
        (0..count)
            .map(|i| unsafe { apus_test_entry(self.test, state.as_ptr(), key, i) })
            .collect()
    }

    /// The values of a list for a key.
    pub fn list<V: Codec>(&self, state: &str, key: &str) -> Vec<V> {
        self.entries(state, key).iter().map(|entry| read(entry.value, state)).collect()
    }

    /// The entries of a map for a key.
    pub fn map<K: Codec, V: Codec>(&self, state: &str, key: &str) -> Vec<(K, V)> {
        let entries = self.entries(state, key);
        entries.iter().map(|entry| (read(entry.key, state), read(entry.value, state))).collect()
    }

    fn shared(&self, state: &str) -> Vec<apus_entry> {
        let state = name(state);
        let count = unsafe { apus_test_shared_count(self.test, state.as_ptr()) };
        self.check();
        (0..count).map(|i| unsafe { apus_test_shared(self.test, state.as_ptr(), i) }).collect()
    }

    /// The entries of a broadcast state.
    pub fn broadcast_map<K: Codec, V: Codec>(&self, state: &str) -> Vec<(K, V)> {
        let entries = self.shared(state);
        entries.iter().map(|entry| (read(entry.key, state), read(entry.value, state))).collect()
    }

    /// The items of an operator state.
    pub fn items<V: Codec>(&self, state: &str) -> Vec<V> {
        self.shared(state).iter().map(|entry| read(entry.value, state)).collect()
    }

    /// How many keys have a state.
    pub fn key_count(&self, state: &str) -> u64 {
        let count = unsafe { apus_test_key_count(self.test, name(state).as_ptr()) };
        self.check();
        count
    }

    /// How many timers of a declaration are armed.
    pub fn timer_count(&self, timer: &str) -> u64 {
        let count = unsafe { apus_test_timer_count(self.test, name(timer).as_ptr()) };
        self.check();
        count
    }

    /// When the next timer of a declaration fires.
    pub fn next_timer(&self, timer: &str) -> Option<i64> {
        let mut time = 0;
        let is_there =
            unsafe { apus_test_next_timer(self.test, name(timer).as_ptr(), &mut time) };
        self.check();
        (is_there != 0).then_some(time)
    }
}

impl<T> Drop for Harness<T> {
    fn drop(&mut self) {
        unsafe { apus_test_close(self.test) };
    }
}

fn read<V: Codec>(found: apus_bytes, state: &str) -> V {
    // SAFETY: nothing changes state between the harness's answer and this.
    decode_all(unsafe { lent(found) }, state).unwrap_or_else(|error| panic!("{}", error))
}

unsafe fn text(text: *const c_char) -> String {
    CStr::from_ptr(text).to_string_lossy().into_owned()
}
