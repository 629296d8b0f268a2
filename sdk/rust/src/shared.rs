//! State that belongs to no key: the same maps in all subtasks, and lists of a subtask's own.

use std::marker::PhantomData;
use std::os::raw::c_void;

use crate::codec::{decode_all, Codec};
use crate::context::Context;
use crate::error::{found, Result};
use crate::raw::*;
use crate::state::{cursor, decoded, encoded, lent, CHUNK, NONE, NO_ENTRY};

const BROADCAST: &str = "broadcast state";
const LIST: &str = "operator state";

/// A map that every subtask has, for rules and settings; `process_broadcast` alone may change it.
///
/// What that does must be the same in every subtask: see `apus/broadcast.h`.
pub struct Broadcast<K, V> {
    pub(crate) index: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: PhantomData<fn() -> (K, V)>,
}

// SAFETY of all functions here: the tables are the host's, which checks the index.
impl<K: Codec, V: Codec> Broadcast<K, V> {
    fn api(context: &Context<'_>) -> &'static apus_broadcast_api {
        unsafe { &*(*context.ctx()).broadcast }
    }

    /// The value of a key, if there is one.
    pub fn get(&self, context: &mut Context<'_>, key: &K) -> Result<Option<V>> {
        let (bytes, len) = encoded!(context, key_scratch, key);
        let mut value = NONE;
        let code =
            unsafe { (Self::api(context).get)(context.ctx(), self.index, bytes, len, &mut value) };
        if !found(BROADCAST, self.name, code)? {
            return Ok(None);
        }
        decode_all(unsafe { lent(value) }, self.name).map(Some)
    }

    /// Stores a value, replacing the one that the key has.
    pub fn set(&self, context: &mut Context<'_>, key: &K, value: &V) -> Result {
        let (k, k_len) = encoded!(context, key_scratch, key);
        let (v, v_len) = encoded!(context, value_scratch, value);
        let code = unsafe {
            (Self::api(context).put)(context.ctx(), self.index, k, k_len, v, v_len)
        };
        found(BROADCAST, self.name, code).map(|_| ())
    }

    /// Removes an entry; whether there was one.
    pub fn remove(&self, context: &mut Context<'_>, key: &K) -> Result<bool> {
        let (bytes, len) = encoded!(context, key_scratch, key);
        let code = unsafe { (Self::api(context).remove)(context.ctx(), self.index, bytes, len) };
        found(BROADCAST, self.name, code)
    }

    /// Removes all entries.
    pub fn clear(&self, context: &mut Context<'_>) -> Result {
        let code = unsafe { (Self::api(context).clear)(context.ctx(), self.index) };
        found(BROADCAST, self.name, code).map(|_| ())
    }

    /// How many entries there are.
    pub fn len(&self, context: &mut Context<'_>) -> Result<u64> {
        let mut count = 0;
        let code = unsafe { (Self::api(context).count)(context.ctx(), self.index, &mut count) };
        found(BROADCAST, self.name, code).map(|_| count)
    }

    /// Whether there are none.
    pub fn is_empty(&self, context: &mut Context<'_>) -> Result<bool> {
        self.len(context).map(|len| len == 0)
    }

    /// Calls `visit` with each entry, in the order of keys, until it returns false.
    pub fn for_each(
        &self,
        context: &mut Context<'_>,
        mut visit: impl FnMut(K, V) -> Result<bool>,
    ) -> Result {
        let mut cursor = cursor(None, None, false);
        loop {
            let (mut entries, mut count) = ([NO_ENTRY; CHUNK], 0);
            let code = unsafe {
                (Self::api(context).next)(
                    context.ctx(), self.index, &mut cursor, entries.as_mut_ptr(), CHUNK as u32,
                    &mut count,
                )
            };
            if !found(BROADCAST, self.name, code)? || count == 0 {
                return Ok(());
            }
            for entry in &entries[..count as usize] {
                let (key, value) = decoded(entry, self.name)?;
                if !visit(key, value)? {
                    return Ok(());
                }
            }
        }
    }
}

/// Items that belong to the subtask: how far it is, what waits to be sent.
pub struct OperatorList<T> {
    pub(crate) index: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: PhantomData<fn() -> T>,
}

impl<T: Codec> OperatorList<T> {
    fn api(context: &Context<'_>) -> &'static apus_operator_state_api {
        unsafe { &*(*context.ctx()).operator_state }
    }

    /// How many items there are.
    pub fn len(&self, context: &mut Context<'_>) -> Result<u64> {
        let mut count = 0;
        let code = unsafe { (Self::api(context).count)(context.ctx(), self.index, &mut count) };
        found(LIST, self.name, code).map(|_| count)
    }

    /// Whether there are none.
    pub fn is_empty(&self, context: &mut Context<'_>) -> Result<bool> {
        self.len(context).map(|len| len == 0)
    }

    /// The item at a position; `None` behind the end.
    pub fn get(&self, context: &mut Context<'_>, position: u64) -> Result<Option<T>> {
        let mut item = NONE;
        let code =
            unsafe { (Self::api(context).get)(context.ctx(), self.index, position, &mut item) };
        if !found(LIST, self.name, code)? {
            return Ok(None);
        }
        decode_all(unsafe { lent(item) }, self.name).map(Some)
    }

    /// All items.
    pub fn all(&self, context: &mut Context<'_>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.get(context, items.len() as u64)? {
            items.push(item);
        }
        Ok(items)
    }

    /// Adds an item at the end.
    pub fn append(&self, context: &mut Context<'_>, item: &T) -> Result {
        let (bytes, len) = encoded!(context, value_scratch, item);
        let code = unsafe { (Self::api(context).append)(context.ctx(), self.index, bytes, len) };
        found(LIST, self.name, code).map(|_| ())
    }

    /// Replaces the item at a position; whether there is one.
    pub fn set(&self, context: &mut Context<'_>, position: u64, item: &T) -> Result<bool> {
        let (bytes, len) = encoded!(context, value_scratch, item);
        let code = unsafe {
            (Self::api(context).set)(context.ctx(), self.index, position, bytes, len)
        };
        found(LIST, self.name, code)
    }

    /// Removes the items from a position on.
    pub fn truncate(&self, context: &mut Context<'_>, count: u64) -> Result {
        let code = unsafe { (Self::api(context).truncate)(context.ctx(), self.index, count) };
        found(LIST, self.name, code).map(|_| ())
    }
}
