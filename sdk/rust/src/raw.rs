//! The C headers in Rust, struct by struct and in their order: nothing but layouts.
//!
//! `tests/layout.rs` compares every size and every offset with what the C compiler says.
#![allow(non_camel_case_types, missing_docs)]

use std::os::raw::{c_char, c_void};

pub const APUS_ABI_MAJOR: u16 = 0;
pub const APUS_ABI_MINOR: u16 = 3;
pub const APUS_ABI_MINOR_FLOOR: u16 = 1;

pub const APUS_OK: i32 = 0;
pub const APUS_YIELD: i32 = 1;
pub const APUS_NOT_FOUND: i32 = 4;
pub const APUS_RECORD: i32 = -1;
pub const APUS_FATAL: i32 = -2;
pub const APUS_UNSUPPORTED: i32 = -4;
pub const APUS_STALE: i32 = -5;
pub const APUS_LIMIT: i32 = -6;
pub const APUS_CONFIG: i32 = -7;
pub const APUS_READ_ONLY: i32 = -8;
pub const APUS_INCOMPATIBLE: i32 = -10;

pub const APUS_OPERATOR: u32 = 2;
pub const APUS_KEYED: u32 = 1;
pub const APUS_ACCEPTS_NULL_KEY: u32 = 2;

pub const APUS_STATE_VALUE: u32 = 1;
pub const APUS_STATE_COUNTER: u32 = 2;
pub const APUS_STATE_LIST: u32 = 3;
pub const APUS_STATE_MAP: u32 = 4;
pub const APUS_STATE_BROADCAST: u32 = 5;

pub const APUS_SPLIT: u32 = 1;
pub const APUS_UNION: u32 = 2;

pub const APUS_EVENT_TIME: u32 = 1;
pub const APUS_PROCESSING_TIME: u32 = 2;

pub const APUS_KIND_NULL_KEY: u8 = 4;
pub const APUS_KIND_NULL_VALUE: u8 = 8;
pub const APUS_NO_TIME: i64 = i64::MIN;
pub const APUS_VIEW_INLINE: u32 = 12;

// abi.h

#[repr(C)]
#[derive(Clone, Copy)]
pub struct apus_str {
    pub data: *const c_char,
    pub len: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct apus_bytes {
    pub data: *const u8,
    pub len: u64,
}

// error.h

#[repr(C)]
pub struct apus_error {
    pub size: u32,
    pub code: i32,
    pub flags: u32,
    pub len: u32,
    pub message: [u8; 480],
}

// view.h

#[repr(C)]
#[derive(Clone, Copy)]
pub struct apus_view_reference {
    pub prefix: [u8; 4],
    pub buffer: u32,
    pub offset: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union apus_view_bytes {
    pub bytes: [u8; 12],
    pub reference: apus_view_reference,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct apus_view {
    pub len: u32,
    pub u: apus_view_bytes,
}

// batch.h

#[repr(C)]
pub struct apus_batch {
    pub size: u32,
    pub count: u32,
    pub input: u32,
    pub flags: u32,
    pub key: *const apus_view,
    pub value: *const apus_view,
    pub ts: *const i64,
    pub key_hash: *const u64,
    pub kind: *const u8,
    pub buffers: *const *const u8,
    pub buffer_count: u32,
    pub reserved: u32,
    pub host_private: *mut c_void,
}

// out.h

#[repr(C)]
pub struct apus_out {
    pub size: u32,
    pub port: u32,
    pub count: u32,
    pub capacity: u32,
    pub key: *mut apus_view,
    pub value: *mut apus_view,
    pub ts: *mut i64,
    pub kind: *mut u8,
    pub arena: *mut u8,
    pub used: u32,
    pub room: u32,
    pub arena_buffer: u32,
    pub reserved: u32,
    pub more: Option<unsafe extern "C" fn(*mut apus_out, u64) -> i32>,
    pub host_private: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct apus_mark {
    pub count: u32,
    pub used: u32,
    pub segment: *const c_void,
}

// migration.h

#[repr(C)]
pub struct apus_writer {
    pub size: u32,
    pub reserved: u32,
    pub write: Option<unsafe extern "C" fn(*mut apus_writer, *const c_void, u64) -> i32>,
    pub host_private: *mut c_void,
}

#[repr(C)]
pub struct apus_migration {
    pub size: u32,
    pub from_version: u32,
    pub to_version: u32,
    pub flags: u32,
    pub key: apus_bytes,
    pub entry: apus_bytes,
    pub value: apus_bytes,
}

pub type apus_migrate =
    Option<unsafe extern "C" fn(*const apus_migration, *mut apus_writer, *mut apus_error) -> i32>;

#[repr(C)]
pub struct apus_timer_migration {
    pub size: u32,
    pub from_version: u32,
    pub to_version: u32,
    pub domain: u32,
    pub key: apus_bytes,
    pub id: u64,
    pub time_us: i64,
    pub payload: apus_bytes,
}

#[repr(C)]
pub struct apus_timer_target {
    pub size: u32,
    pub reserved: u32,
    pub id: u64,
    pub time_us: i64,
}

pub type apus_migrate_timer = Option<
    unsafe extern "C" fn(
        *const apus_timer_migration,
        *mut apus_timer_target,
        *mut apus_writer,
        *mut apus_error,
    ) -> i32,
>;

// state.h

#[repr(C)]
pub struct apus_state_decl {
    pub size: u32,
    pub kind: u32,
    pub name: apus_str,
    pub schema_version: u32,
    pub fixed_len: u32,
    pub flags: u32,
    pub reserved: u32,
    pub schema: apus_str,
    pub min_readable: u32,
    pub migration_flags: u32,
    pub renamed_from: apus_str,
    pub migrate: apus_migrate,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct apus_cursor {
    pub from: apus_bytes,
    pub to: apus_bytes,
    pub is_prefix: u32,
    pub started: u32,
    pub position: u64,
    pub version: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct apus_entry {
    pub key: apus_bytes,
    pub value: apus_bytes,
}

type Ctx = *mut apus_ctx;
type Bytes = *const c_void;

#[repr(C)]
pub struct apus_state_api {
    pub size: u32,
    pub reserved: u32,
    pub value_get: unsafe extern "C" fn(Ctx, u32, u32, *mut apus_bytes) -> i32,
    pub value_put: unsafe extern "C" fn(Ctx, u32, u32, Bytes, u64) -> i32,
    pub value_mut: unsafe extern "C" fn(Ctx, u32, u32, *mut *mut c_void) -> i32,
    pub value_mut_many:
        unsafe extern "C" fn(Ctx, u32, u32, u32, *mut *mut c_void, *mut u8) -> i32,
    pub counter_add: unsafe extern "C" fn(Ctx, u32, u32, i64, *mut i64) -> i32,
    pub counter_get: unsafe extern "C" fn(Ctx, u32, u32, *mut i64) -> i32,
    pub list_append: unsafe extern "C" fn(Ctx, u32, u32, Bytes, u64) -> i32,
    pub list_count: unsafe extern "C" fn(Ctx, u32, u32, *mut u64) -> i32,
    pub list_next: unsafe extern "C" fn(
        Ctx, u32, u32, *mut apus_cursor, *mut apus_bytes, u32, *mut u32,
    ) -> i32,
    pub map_get: unsafe extern "C" fn(Ctx, u32, u32, Bytes, u64, *mut apus_bytes) -> i32,
    pub map_put: unsafe extern "C" fn(Ctx, u32, u32, Bytes, u64, Bytes, u64) -> i32,
    pub map_remove: unsafe extern "C" fn(Ctx, u32, u32, Bytes, u64) -> i32,
    pub map_count: unsafe extern "C" fn(Ctx, u32, u32, *mut u64) -> i32,
    pub map_next: unsafe extern "C" fn(
        Ctx, u32, u32, *mut apus_cursor, *mut apus_entry, u32, *mut u32,
    ) -> i32,
    pub clear: unsafe extern "C" fn(Ctx, u32, u32) -> i32,
}

// timer.h

#[repr(C)]
pub struct apus_timer_decl {
    pub size: u32,
    pub domain: u32,
    pub name: apus_str,
    pub schema_version: u32,
    pub min_readable: u32,
    pub migrate: apus_migrate_timer,
}

#[repr(C)]
pub struct apus_timer_api {
    pub size: u32,
    pub reserved: u32,
    pub set: unsafe extern "C" fn(Ctx, u32, u64, u32, i64, Bytes, u64) -> i32,
    pub cancel: unsafe extern "C" fn(Ctx, u32, u64, u32) -> i32,
}

#[repr(C)]
pub struct apus_timers {
    pub size: u32,
    pub domain: u32,
    pub batch: *const apus_batch,
    pub timer: *const u32,
    pub id: *const u64,
}

// broadcast.h

#[repr(C)]
pub struct apus_broadcast_api {
    pub size: u32,
    pub reserved: u32,
    pub get: unsafe extern "C" fn(Ctx, u32, Bytes, u64, *mut apus_bytes) -> i32,
    pub count: unsafe extern "C" fn(Ctx, u32, *mut u64) -> i32,
    pub next:
        unsafe extern "C" fn(Ctx, u32, *mut apus_cursor, *mut apus_entry, u32, *mut u32) -> i32,
    pub put: unsafe extern "C" fn(Ctx, u32, Bytes, u64, Bytes, u64) -> i32,
    pub remove: unsafe extern "C" fn(Ctx, u32, Bytes, u64) -> i32,
    pub clear: unsafe extern "C" fn(Ctx, u32) -> i32,
}

// operator_state.h

#[repr(C)]
pub struct apus_operator_state_decl {
    pub size: u32,
    pub redistribution: u32,
    pub name: apus_str,
    pub schema_version: u32,
    pub flags: u32,
    pub schema: apus_str,
    pub min_readable: u32,
    pub reserved: u32,
    pub renamed_from: apus_str,
    pub migrate: apus_migrate,
}

#[repr(C)]
pub struct apus_operator_state_api {
    pub size: u32,
    pub reserved: u32,
    pub count: unsafe extern "C" fn(Ctx, u32, *mut u64) -> i32,
    pub get: unsafe extern "C" fn(Ctx, u32, u64, *mut apus_bytes) -> i32,
    pub append: unsafe extern "C" fn(Ctx, u32, Bytes, u64) -> i32,
    pub set: unsafe extern "C" fn(Ctx, u32, u64, Bytes, u64) -> i32,
    pub truncate: unsafe extern "C" fn(Ctx, u32, u64) -> i32,
}

// context.h

#[repr(C)]
pub struct apus_ctx {
    pub size: u32,
    pub out_count: u32,
    pub outs: *const *mut apus_out,
    pub state: *const apus_state_api,
    pub timers: *const apus_timer_api,
    pub host_private: *mut c_void,
    pub instance: u64,
    pub watermark_us: i64,
    pub now_us: i64,
    pub stop: *const u32,
    pub at: u32,
    pub reserved: u32,
    pub counters: *mut u64,
    pub error: *mut apus_error,
    pub broadcast: *const apus_broadcast_api,
    pub broadcast_private: *mut c_void,
    pub operator_state: *const apus_operator_state_api,
    pub operator_state_private: *mut c_void,
    pub instance_private: *mut c_void,
    pub histograms: *mut u64,
    pub histogram_count: u32,
    pub reserved_03: u32,
}

// operator.h

#[repr(C)]
pub struct apus_operator_vt {
    pub size: u32,
    pub reserved: u32,
    pub open: Option<unsafe extern "C" fn(*mut c_void, Ctx) -> i32>,
    pub close: Option<unsafe extern "C" fn(*mut c_void, Ctx)>,
    pub process: Option<unsafe extern "C" fn(*mut c_void, Ctx, *const apus_batch) -> i32>,
    pub on_timers: Option<unsafe extern "C" fn(*mut c_void, Ctx, *const apus_timers) -> i32>,
    pub on_watermark: Option<unsafe extern "C" fn(*mut c_void, Ctx, i64) -> i32>,
    pub process_broadcast:
        Option<unsafe extern "C" fn(*mut c_void, Ctx, *const apus_batch) -> i32>,
    pub on_async: Option<unsafe extern "C" fn(*mut c_void, Ctx, *const c_void) -> i32>,
    pub cancel: Option<unsafe extern "C" fn(*mut c_void, u64, u64)>,
    pub on_event: Option<unsafe extern "C" fn(*mut c_void, Ctx, u64) -> i32>,
}

// component.h

#[repr(C)]
pub struct apus_port {
    pub size: u32,
    pub flags: u32,
    pub name: apus_str,
    pub summary: apus_str,
}

#[repr(C)]
pub struct apus_counter_decl {
    pub size: u32,
    pub flags: u32,
    pub name: apus_str,
    pub summary: apus_str,
}

#[repr(C)]
pub struct apus_args {
    pub size: u32,
    pub subtask: u32,
    pub parallelism: u32,
    pub max_parallelism: u32,
    pub config: apus_bytes,
    pub job: apus_str,
    pub operator_id: apus_str,
    pub instance: u64,
}

#[repr(C)]
pub struct apus_component {
    pub size: u32,
    pub kind: u32,
    pub create:
        unsafe extern "C" fn(*const apus_args, *mut *mut c_void, *mut apus_error) -> i32,
    pub destroy: unsafe extern "C" fn(*mut c_void),
    pub vt: *const c_void,
    pub id: apus_str,
    pub summary: apus_str,
    pub flags: u32,
    pub input_count: u32,
    pub output_count: u32,
    pub state_count: u32,
    pub timer_count: u32,
    pub counter_count: u32,
    pub outputs: *const *const apus_port,
    pub states: *const *const apus_state_decl,
    pub timers: *const *const apus_timer_decl,
    pub counters: *const *const apus_counter_decl,
    pub broadcast_input_count: u32,
    pub broadcast_count: u32,
    pub broadcasts: *const *const apus_state_decl,
    pub operator_state_count: u32,
    pub operator_state_flags: u32,
    pub operator_states: *const *const apus_operator_state_decl,
    pub histogram_count: u32,
    pub reserved_03: u32,
    pub histograms: *const *const c_void,
    pub needs: *const *const c_char,
    pub get_extension: Option<unsafe extern "C" fn(*const c_char) -> *const c_void>,
}

// host.h

#[repr(C)]
pub struct apus_host {
    pub size: u32,
    pub major: u16,
    pub minor: u16,
    pub log_level: *const u32,
    pub log: unsafe extern "C" fn(u64, u32, *const c_char, u64),
    pub get_extension: unsafe extern "C" fn(*const c_char) -> *const c_void,
    pub name: apus_str,
    pub version: apus_str,
}

// entry.h

#[repr(C)]
pub struct apus_plugin {
    pub size: u32,
    pub abi_minor: u16,
    pub abi_minor_floor: u16,
    pub id: apus_str,
    pub version: apus_str,
    pub vendor: apus_str,
    pub component_count: u32,
    pub reserved: u32,
    pub components: *const *const apus_component,
}

// layout.h and note.h

pub const APUS_LAYOUT_ID: [u8; 16] = [0; 16];
pub const APUS_LANGUAGE_RUST: u16 = 4;

#[repr(C)]
pub struct apus_note {
    pub size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub abi_minor_floor: u16,
    pub language: u16,
    pub sdk_version: u32,
    pub flags: u32,
    pub layout_id: [u8; 16],
    pub zero: [u8; 28],
}

#[repr(C)]
pub struct apus_elf_note {
    pub name_size: u32,
    pub descriptor_size: u32,
    pub r#type: u32,
    pub name: [u8; 8],
    pub note: apus_note,
}
