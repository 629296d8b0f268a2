//! State per key.
//!
//! All functions fail when there is no key in hand, or the bytes are not those of the type.

use std::marker::PhantomData;
use std::os::raw::c_void;

use crate::codec::{decode_all, Codec};
use crate::context::Context;
use crate::error::{found, Result};
use crate::raw::*;

pub(crate) const NONE: apus_bytes = apus_bytes { data: std::ptr::null(), len: 0 };
pub(crate) const NO_ENTRY: apus_entry = apus_entry { key: NONE, value: NONE };
pub(crate) const CHUNK: usize = 32;

/// # Safety
///
/// The bytes are the host's, and nothing is written while they are used.
pub(crate) unsafe fn lent<'a>(bytes: apus_bytes) -> &'a [u8] {
    if bytes.len == 0 {
        return &[];
    }
    std::slice::from_raw_parts(bytes.data, bytes.len as usize)
}

pub(crate) fn cursor(from: Option<&[u8]>, to: Option<&[u8]>, is_prefix: bool) -> apus_cursor {
    let bytes = |slice: Option<&[u8]>| {
        slice.map_or(NONE, |slice| apus_bytes { data: slice.as_ptr(), len: slice.len() as u64 })
    };
    apus_cursor {
        from: bytes(from),
        to: bytes(to),
        is_prefix: u32::from(is_prefix),
        started: 0,
        position: 0,
        version: 0,
    }
}

fn api(context: &Context<'_>) -> &'static apus_state_api {
    // SAFETY: the host's table lives as long as the instance.
    unsafe { &*(*context.ctx()).state }
}

fn clear(context: &mut Context<'_>, slot: u32, name: &str) -> Result {
    // SAFETY: the host checks slot and record, here and below.
    let code = unsafe { (api(context).clear)(context.ctx(), slot, context.record) };
    found("state", name, code).map(|_| ())
}

/// Encodes a value into scratch of the frame, and lends it.
macro_rules! encoded {
    ($context:expr, $scratch:ident, $value:expr) => {{
        $context.frame.$scratch.clear();
        $value.encode(&mut $context.frame.$scratch);
        (
            $context.frame.$scratch.as_ptr() as *const c_void,
            $context.frame.$scratch.len() as u64,
        )
    }};
}
pub(crate) use encoded;

/// One value per key.
pub struct Value<T> {
    pub(crate) slot: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: PhantomData<fn() -> T>,
}

impl<T: Codec> Value<T> {
    /// The value, if there is one.
    pub fn get(&self, context: &mut Context<'_>) -> Result<Option<T>> {
        let mut bytes = NONE;
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).value_get)(ctx, self.slot, record, &mut bytes) };
        if !found("state", self.name, code)? {
            return Ok(None);
        }
        decode_all(unsafe { lent(bytes) }, self.name).map(Some)
    }

    /// Stores a value.
    pub fn set(&self, context: &mut Context<'_>, value: &T) -> Result {
        let (bytes, len) = encoded!(context, value_scratch, value);
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).value_put)(ctx, self.slot, record, bytes, len) };
        found("state", self.name, code).map(|_| ())
    }

    /// Changes the value, or the default if there is none, and stores it; not if `change` fails.
    pub fn modify<R>(
        &self,
        context: &mut Context<'_>,
        change: impl FnOnce(&mut T) -> Result<R>,
    ) -> Result<R>
    where
        T: Default,
    {
        let mut value = self.get(context)?.unwrap_or_default();
        let result = change(&mut value)?;
        self.set(context, &value)?;
        Ok(result)
    }

    /// Forgets the value.
    pub fn clear(&self, context: &mut Context<'_>) -> Result {
        clear(context, self.slot, self.name)
    }
}

/// One sum per key.
pub struct Counter {
    pub(crate) slot: u32,
    pub(crate) name: &'static str,
}

impl Counter {
    /// Adds, wrapping around; the new sum.
    pub fn add(&self, context: &mut Context<'_>, by: i64) -> Result<i64> {
        let mut sum = 0;
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).counter_add)(ctx, self.slot, record, by, &mut sum) };
        found("state", self.name, code).map(|_| sum)
    }

    /// The sum; 0 when nothing was ever added.
    pub fn get(&self, context: &mut Context<'_>) -> Result<i64> {
        let mut sum = 0;
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).counter_get)(ctx, self.slot, record, &mut sum) };
        found("state", self.name, code).map(|_| sum)
    }

    /// Forgets the sum.
    pub fn clear(&self, context: &mut Context<'_>) -> Result {
        clear(context, self.slot, self.name)
    }
}

/// Values per key, in the order in which they were appended.
pub struct List<T> {
    pub(crate) slot: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: PhantomData<fn() -> T>,
}

impl<T: Codec> List<T> {
    /// Appends a value.
    pub fn append(&self, context: &mut Context<'_>, value: &T) -> Result {
        let (bytes, len) = encoded!(context, value_scratch, value);
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).list_append)(ctx, self.slot, record, bytes, len) };
        found("state", self.name, code).map(|_| ())
    }

    /// How many values there are.
    pub fn len(&self, context: &mut Context<'_>) -> Result<u64> {
        let mut count = 0;
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).list_count)(ctx, self.slot, record, &mut count) };
        found("state", self.name, code).map(|_| count)
    }

    /// Whether there are none.
    pub fn is_empty(&self, context: &mut Context<'_>) -> Result<bool> {
        self.len(context).map(|len| len == 0)
    }

    /// Calls `visit` with each value, in order.
    pub fn for_each(
        &self,
        context: &mut Context<'_>,
        mut visit: impl FnMut(T) -> Result,
    ) -> Result {
        let mut cursor = cursor(None, None, false);
        loop {
            let (mut values, mut count) = ([NONE; CHUNK], 0);
            let (ctx, record) = (context.ctx(), context.record);
            // SAFETY: there is room for as many as are asked for.
            let code = unsafe {
                (api(context).list_next)(
                    ctx, self.slot, record, &mut cursor, values.as_mut_ptr(), CHUNK as u32,
                    &mut count,
                )
            };
            if !found("state", self.name, code)? || count == 0 {
                return Ok(());
            }
            for bytes in &values[..count as usize] {
                visit(decode_all(unsafe { lent(*bytes) }, self.name)?)?;
            }
        }
    }

    /// All values.
    pub fn all(&self, context: &mut Context<'_>) -> Result<Vec<T>> {
        let mut values = Vec::new();
        self.for_each(context, |value| {
            values.push(value);
            Ok(())
        })?;
        Ok(values)
    }

    /// Forgets all values.
    pub fn clear(&self, context: &mut Context<'_>) -> Result {
        clear(context, self.slot, self.name)
    }
}

/// Entries per key, ordered by their own keys.
pub struct Map<K, V> {
    pub(crate) slot: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: PhantomData<fn() -> (K, V)>,
}

impl<K: Codec, V: Codec> Map<K, V> {
    /// The value of a key, if there is one.
    pub fn get(&self, context: &mut Context<'_>, key: &K) -> Result<Option<V>> {
        let (bytes, len) = encoded!(context, key_scratch, key);
        let (ctx, record, mut value) = (context.ctx(), context.record, NONE);
        let code =
            unsafe { (api(context).map_get)(ctx, self.slot, record, bytes, len, &mut value) };
        if !found("state", self.name, code)? {
            return Ok(None);
        }
        decode_all(unsafe { lent(value) }, self.name).map(Some)
    }

    /// Stores a value, replacing the one that the key has.
    pub fn set(&self, context: &mut Context<'_>, key: &K, value: &V) -> Result {
        let (k, k_len) = encoded!(context, key_scratch, key);
        let (v, v_len) = encoded!(context, value_scratch, value);
        let (ctx, record) = (context.ctx(), context.record);
        let code =
            unsafe { (api(context).map_put)(ctx, self.slot, record, k, k_len, v, v_len) };
        found("state", self.name, code).map(|_| ())
    }

    /// Removes an entry; whether there was one.
    pub fn remove(&self, context: &mut Context<'_>, key: &K) -> Result<bool> {
        let (bytes, len) = encoded!(context, key_scratch, key);
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).map_remove)(ctx, self.slot, record, bytes, len) };
        found("state", self.name, code)
    }

    /// How many entries there are.
    pub fn len(&self, context: &mut Context<'_>) -> Result<u64> {
        let mut count = 0;
        let (ctx, record) = (context.ctx(), context.record);
        let code = unsafe { (api(context).map_count)(ctx, self.slot, record, &mut count) };
        found("state", self.name, code).map(|_| count)
    }

    /// Whether there are none.
    pub fn is_empty(&self, context: &mut Context<'_>) -> Result<bool> {
        self.len(context).map(|len| len == 0)
    }

    /// Calls `visit` with each entry, in the order of keys, until it returns false.
    pub fn for_each(
        &self,
        context: &mut Context<'_>,
        visit: impl FnMut(K, V) -> Result<bool>,
    ) -> Result {
        self.walk(context, cursor(None, None, false), visit)
    }

    /// The same for keys from the first to the one before the last.
    pub fn for_each_in(
        &self,
        context: &mut Context<'_>,
        keys: std::ops::Range<K>,
        visit: impl FnMut(K, V) -> Result<bool>,
    ) -> Result {
        let (mut from, mut to) = (Vec::new(), Vec::new());
        keys.start.encode(&mut from);
        keys.end.encode(&mut to);
        self.walk(context, cursor(Some(&from), Some(&to), false), visit)
    }

    /// The same for keys that start with the first fields of a key.
    pub fn for_each_with<P: Codec>(
        &self,
        context: &mut Context<'_>,
        prefix: &P,
        visit: impl FnMut(K, V) -> Result<bool>,
    ) -> Result {
        let mut from = Vec::new();
        prefix.encode(&mut from);
        self.walk(context, cursor(Some(&from), None, true), visit)
    }

    fn walk(
        &self,
        context: &mut Context<'_>,
        mut cursor: apus_cursor,
        mut visit: impl FnMut(K, V) -> Result<bool>,
    ) -> Result {
        loop {
            let (mut entries, mut count) = ([NO_ENTRY; CHUNK], 0);
            let (ctx, record) = (context.ctx(), context.record);
            // SAFETY: as for lists.
            let code = unsafe {
                (api(context).map_next)(
                    ctx, self.slot, record, &mut cursor, entries.as_mut_ptr(), CHUNK as u32,
                    &mut count,
                )
            };
            if !found("state", self.name, code)? || count == 0 {
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

    /// Forgets all entries.
    pub fn clear(&self, context: &mut Context<'_>) -> Result {
        clear(context, self.slot, self.name)
    }
}

pub(crate) fn decoded<K: Codec, V: Codec>(entry: &apus_entry, name: &str) -> Result<(K, V)> {
    // SAFETY: the entry is the host's, and nothing is written while it is read.
    let (key, value) = unsafe { (lent(entry.key), lent(entry.value)) };
    Ok((decode_all(key, name)?, decode_all(value, name)?))
}
