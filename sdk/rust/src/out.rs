//! What the header has as inline code: views and output builders.

use std::os::raw::c_void;
use std::ptr;

use crate::raw::*;

// SAFETY of all functions here: the structs are the host's, for the callback in hand.

pub(crate) unsafe fn view_bytes<'a>(view: *const apus_view, batch: *const apus_batch) -> &'a [u8] {
    let len = (*view).len as usize;
    if (*view).len <= APUS_VIEW_INLINE {
        return std::slice::from_raw_parts(ptr::addr_of!((*view).u.bytes) as *const u8, len);
    }
    let reference = (*view).u.reference;
    let buffer = *(*batch).buffers.add(reference.buffer as usize);
    std::slice::from_raw_parts(buffer.add(reference.offset as usize), len)
}

pub(crate) unsafe fn has_key(batch: *const apus_batch, record: u32) -> bool {
    let batch = &*batch;
    !batch.key.is_null()
        && (batch.kind.is_null() || *batch.kind.add(record as usize) & APUS_KIND_NULL_KEY == 0)
}

pub(crate) unsafe fn has_room(out: *const apus_out, bytes: usize) -> bool {
    (*out).count < (*out).capacity && bytes <= ((*out).room - (*out).used) as usize
}

const EMPTY: apus_view = apus_view { len: 0, u: apus_view_bytes { bytes: [0; 12] } };

/// Copies bytes into a view of this builder; there must be room.
unsafe fn write_view(out: *mut apus_out, bytes: &[u8]) -> apus_view {
    let len = bytes.len() as u32;
    if len <= APUS_VIEW_INLINE {
        let mut inline = [0; 12];
        inline[..bytes.len()].copy_from_slice(bytes);
        return apus_view { len, u: apus_view_bytes { bytes: inline } };
    }
    let to = (*out).arena.add((*out).used as usize);
    ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
    let reference = apus_view_reference {
        prefix: [bytes[0], bytes[1], bytes[2], bytes[3]],
        buffer: (*out).arena_buffer,
        offset: (*out).used,
    };
    (*out).used += len;
    apus_view { len, u: apus_view_bytes { reference } }
}

unsafe fn push(out: *mut apus_out, key: apus_view, value: apus_view, ts: i64, kind: u8) {
    let at = (*out).count as usize;
    *(*out).key.add(at) = key;
    *(*out).value.add(at) = value;
    *(*out).ts.add(at) = ts;
    *(*out).kind.add(at) = kind;
    (*out).count += 1;
}

/// Writes a record; there must be room.
pub(crate) unsafe fn emit(out: *mut apus_out, key: Option<&[u8]>, value: &[u8], ts: i64, kind: u8) {
    let key_view = key.map_or(EMPTY, |key| write_view(out, key));
    let value = write_view(out, value);
    push(out, key_view, value, ts, kind | if key.is_none() { APUS_KIND_NULL_KEY } else { 0 });
}

/// Writes a record with the key and the time of another; there must be room.
pub(crate) unsafe fn emit_keyed(
    out: *mut apus_out,
    batch: *const apus_batch,
    record: u32,
    value: &[u8],
) {
    let value = write_view(out, value);
    let (key, kind) = key_of(batch, record);
    push(out, key, value, *(*batch).ts.add(record as usize), kind);
}

/// Passes a record on as it is; there must be room.
pub(crate) unsafe fn forward(out: *mut apus_out, batch: *const apus_batch, record: u32) {
    let at = record as usize;
    let (key, kind) = key_of(batch, record);
    let more = if (*batch).kind.is_null() { 0 } else { *(*batch).kind.add(at) };
    push(out, key, *(*batch).value.add(at), *(*batch).ts.add(at), kind | more);
}

unsafe fn key_of(batch: *const apus_batch, record: u32) -> (apus_view, u8) {
    if has_key(batch, record) {
        (*(*batch).key.add(record as usize), 0)
    } else {
        (EMPTY, APUS_KIND_NULL_KEY)
    }
}

pub(crate) unsafe fn mark(out: *const apus_out) -> apus_mark {
    apus_mark { count: (*out).count, used: (*out).used, segment: (*out).key as *const c_void }
}

pub(crate) unsafe fn rollback(out: *mut apus_out, mark: &apus_mark) {
    if (*out).key as *const c_void == mark.segment {
        (*out).count = mark.count;
        (*out).used = mark.used;
    }
}
