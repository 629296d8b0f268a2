//! What an operator declares, and the handles that it gets for it.

use std::marker::PhantomData;

use crate::codec::Codec;
use crate::raw::*;
use crate::shared::{Broadcast, OperatorList};
use crate::state::{Counter, List, Map, Value};

/// What makes a timer fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Domain {
    /// The watermark reaches the time.
    EventTime = APUS_EVENT_TIME,
    /// The clock on the wall reaches the time.
    ProcessingTime = APUS_PROCESSING_TIME,
}

/// Who gets the items of operator state when a job goes on from a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Redistribution {
    /// Each item goes to one subtask.
    Split = APUS_SPLIT,
    /// Each subtask gets all items, and keeps what concerns it.
    Union = APUS_UNION,
}

/// An output; the job file says `operator.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    pub(crate) index: u32,
}

impl Output {
    /// The output that is meant when none is named.
    pub const MAIN: Output = Output { index: 0 };
}

/// A kind of timer, known by its key, its declaration and an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    pub(crate) index: u32,
    pub(crate) name: &'static str,
}

/// A number that an operator counts for the people who watch the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    pub(crate) index: u32,
}

pub(crate) struct StateDecl {
    pub(crate) name: &'static str,
    /// The kind, or the redistribution of operator state.
    pub(crate) kind: u32,
    pub(crate) version: u32,
    pub(crate) oldest: u32,
    pub(crate) fixed: u32,
    pub(crate) schema: &'static str,
    pub(crate) renamed_from: &'static str,
    pub(crate) migrate: apus_migrate,
    pub(crate) goes_back: bool,
}

pub(crate) struct NamedDecl {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) domain: u32,
}

/// Collects what an operator declares.  Names are `a-z`, `0-9`, `-` and stable for ever: state and
/// timers are filed under them in checkpoints.
#[derive(Default)]
pub struct Declare {
    /// Side outputs.
    pub(crate) outputs: Vec<NamedDecl>,
    pub(crate) timers: Vec<NamedDecl>,
    pub(crate) metrics: Vec<NamedDecl>,
    pub(crate) states: Vec<StateDecl>,
    pub(crate) broadcasts: Vec<StateDecl>,
    pub(crate) operator_states: Vec<StateDecl>,
}

fn note<T>(list: &mut Vec<T>, element: T) -> u32 {
    list.push(element);
    list.len() as u32 - 1
}

fn state<T: Codec>(name: &'static str, kind: u32) -> StateDecl {
    let migrate: apus_migrate =
        if T::OLDEST < T::VERSION { Some(crate::plugin::migrate::<T>) } else { None };
    StateDecl {
        name,
        kind,
        version: T::VERSION,
        oldest: T::OLDEST,
        fixed: 0,
        schema: "",
        renamed_from: "",
        migrate,
        goes_back: T::OLDEST < T::VERSION && T::OLDEST_WRITABLE <= T::OLDEST,
    }
}

impl Declare {
    /// One value per key.
    pub fn value<T: Codec>(&mut self, name: &'static str) -> Value<T> {
        let mut decl = state::<T>(name, APUS_STATE_VALUE);
        decl.fixed = T::FIXED.filter(|length| *length <= 65_536).unwrap_or(0) as u32;
        Value { slot: note(&mut self.states, decl), name, kind: PhantomData }
    }

    /// One sum per key.
    pub fn counter(&mut self, name: &'static str) -> Counter {
        Counter { slot: note(&mut self.states, state::<i64>(name, APUS_STATE_COUNTER)), name }
    }

    /// Values per key, in the order in which they were appended.
    pub fn list<T: Codec>(&mut self, name: &'static str) -> List<T> {
        let slot = note(&mut self.states, state::<T>(name, APUS_STATE_LIST));
        List { slot, name, kind: PhantomData }
    }

    /// Entries per key, ordered by their own keys.
    pub fn map<K: Codec, V: Codec>(&mut self, name: &'static str) -> Map<K, V> {
        let slot = note(&mut self.states, state::<V>(name, APUS_STATE_MAP));
        Map { slot, name, kind: PhantomData }
    }

    /// A map that every subtask has.
    pub fn broadcast<K: Codec, V: Codec>(&mut self, name: &'static str) -> Broadcast<K, V> {
        let index = note(&mut self.broadcasts, state::<V>(name, APUS_STATE_BROADCAST));
        Broadcast { index, name, kind: PhantomData }
    }

    /// Items that belong to the subtask.
    pub fn operator_list<T: Codec>(
        &mut self,
        name: &'static str,
        redistribution: Redistribution,
    ) -> OperatorList<T> {
        let index = note(&mut self.operator_states, state::<T>(name, redistribution as u32));
        OperatorList { index, name, kind: PhantomData }
    }

    /// A timer in event time.
    pub fn timer(&mut self, name: &'static str) -> Timer {
        self.timer_in(Domain::EventTime, name)
    }

    /// A timer in either time.
    pub fn timer_in(&mut self, domain: Domain, name: &'static str) -> Timer {
        let decl = NamedDecl { name, summary: "", domain: domain as u32 };
        Timer { index: note(&mut self.timers, decl), name }
    }

    /// A side output.
    pub fn output(&mut self, name: &'static str, summary: &'static str) -> Output {
        // The main output comes before those that are declared.
        Output { index: 1 + note(&mut self.outputs, NamedDecl { name, summary, domain: 0 }) }
    }

    /// A metric.
    pub fn metric(&mut self, name: &'static str, summary: &'static str) -> Metric {
        Metric { index: note(&mut self.metrics, NamedDecl { name, summary, domain: 0 }) }
    }

    /// Says what a state was called in older versions of the operator.
    pub fn renamed(&mut self, name: &'static str, old: &'static str) {
        self.each_state(name, |decl| decl.renamed_from = old);
    }

    /// Says what the bytes of a state mean, for people; kept in checkpoints.
    pub fn describe(&mut self, name: &'static str, schema: &'static str) {
        self.each_state(name, |decl| decl.schema = schema);
    }

    fn each_state(&mut self, name: &str, change: impl Fn(&mut StateDecl)) {
        let all = self.states.iter_mut().chain(&mut self.broadcasts);
        all.chain(&mut self.operator_states).filter(|decl| decl.name == name).for_each(change);
    }
}
