//! The raw layer has the layout of the C headers: sizes, offsets of all fields, constants.

use std::mem::{size_of, MaybeUninit};
use std::path::Path;
use std::process::Command;
use std::ptr::addr_of;

use apus::raw::*;

macro_rules! layout {
    ($($name:ident { $($field:ident $(as $c_name:literal)?),* $(,)? })*) => {{
        let mut lines = Vec::new();
        $(
            lines.push(format!("{} {}", stringify!($name), size_of::<$name>()));
            let place = MaybeUninit::<$name>::uninit();
            $(
                // SAFETY: only addresses are taken, and nothing is read.
                let offset = unsafe {
                    addr_of!((*place.as_ptr()).$field) as usize - place.as_ptr() as usize
                };
                let c_name = [$($c_name,)? stringify!($field)][0];
                lines.push(format!("{}.{} {}", stringify!($name), c_name, offset));
            )*
        )*
        lines
    }};
}

fn rust_layout() -> Vec<String> {
    layout! {
        apus_str {
            data, len,
        }
        apus_bytes {
            data, len,
        }
        apus_error {
            size, code, flags, len, message,
        }
        apus_view_reference {
            prefix, buffer, offset,
        }
        apus_view {
            len, u,
        }
        apus_batch {
            size, count, input, flags, key, value, ts, key_hash, kind, buffers,
            buffer_count, reserved, host_private,
        }
        apus_out {
            size, port, count, capacity, key, value, ts, kind, arena, used, room,
            arena_buffer, reserved, more, host_private,
        }
        apus_mark {
            count, used, segment,
        }
        apus_writer {
            size, reserved, write, host_private,
        }
        apus_migration {
            size, from_version, to_version, flags, key, entry, value,
        }
        apus_timer_migration {
            size, from_version, to_version, domain, key, id, time_us, payload,
        }
        apus_timer_target {
            size, reserved, id, time_us,
        }
        apus_state_decl {
            size, kind, name, schema_version, fixed_len, flags, reserved, schema,
            min_readable, migration_flags, renamed_from, migrate,
        }
        apus_cursor {
            from, to, is_prefix, started, position, version,
        }
        apus_entry {
            key, value,
        }
        apus_state_api {
            size, reserved, value_get, value_put, value_mut, value_mut_many,
            counter_add, counter_get, list_append, list_count, list_next, map_get,
            map_put, map_remove, map_count, map_next, clear,
        }
        apus_timer_decl {
            size, domain, name, schema_version, min_readable, migrate,
        }
        apus_timer_api {
            size, reserved, set, cancel,
        }
        apus_timers {
            size, domain, batch, timer, id,
        }
        apus_broadcast_api {
            size, reserved, get, count, next, put, remove, clear,
        }
        apus_operator_state_decl {
            size, redistribution, name, schema_version, flags, schema, min_readable,
            reserved, renamed_from, migrate,
        }
        apus_operator_state_api {
            size, reserved, count, get, append, set, truncate,
        }
        apus_ctx {
            size, out_count, outs, state, timers, host_private, instance,
            watermark_us, now_us, stop, at, reserved, counters, error, broadcast,
            broadcast_private, operator_state, operator_state_private,
            instance_private, histograms, histogram_count, reserved_03,
        }
        apus_operator_vt {
            size, reserved, open, close, process, on_timers, on_watermark,
            process_broadcast, on_async, cancel, on_event,
        }
        apus_port {
            size, flags, name, summary,
        }
        apus_counter_decl {
            size, flags, name, summary,
        }
        apus_args {
            size, subtask, parallelism, max_parallelism, config, job, operator_id, instance,
        }
        apus_component {
            size, kind, create, destroy, vt, id, summary, flags, input_count,
            output_count, state_count, timer_count, counter_count, outputs, states,
            timers, counters, broadcast_input_count, broadcast_count, broadcasts,
            operator_state_count, operator_state_flags, operator_states,
            histogram_count, reserved_03, histograms, needs, get_extension,
        }
        apus_host {
            size, major, minor, log_level, log, get_extension, name, version,
        }
        apus_plugin {
            size, abi_minor, abi_minor_floor, id, version, vendor, component_count,
            reserved, components,
        }
        apus_note {
            size, abi_major, abi_minor, abi_minor_floor, language, sdk_version,
            flags, layout_id, zero,
        }
        apus_elf_note {
            name_size, descriptor_size, r#type as "type", name, note,
        }
    }
}

#[test]
fn the_raw_layer_has_the_layout_of_the_headers() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layout");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let status = Command::new(compiler)
        .arg("-std=c11")
        .arg("-I")
        .arg(here.join("../c/include"))
        .arg(here.join("tests/layout.c"))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("there is a C compiler");
    assert!(status.success());
    let output = Command::new(&program).output().expect("the program runs");
    let expected = String::from_utf8(output.stdout).expect("it prints text");
    let mut found = rust_layout();
    found.push(format!("ABI {} {} {}", APUS_ABI_MAJOR, APUS_ABI_MINOR, APUS_ABI_MINOR_FLOOR));
    let bytes: Vec<String> = APUS_LAYOUT_ID.iter().map(u8::to_string).collect();
    found.push(format!("layout {}", bytes.join(" ")));
    let codes = [
        APUS_OK, APUS_YIELD, APUS_NOT_FOUND, APUS_RECORD, APUS_FATAL, APUS_UNSUPPORTED,
        APUS_STALE, APUS_LIMIT, APUS_CONFIG, APUS_READ_ONLY,
    ];
    found.push(format!("codes {}", codes.map(|code| code.to_string()).join(" ")));
    let kinds = [
        APUS_STATE_VALUE, APUS_STATE_COUNTER, APUS_STATE_LIST, APUS_STATE_MAP,
        APUS_STATE_BROADCAST,
    ];
    found.push(format!("kinds {}", kinds.map(|kind| kind.to_string()).join(" ")));
    let expected: Vec<&str> = expected.lines().collect();
    assert!(found.len() > 250, "{} lines", found.len());
    let pairs = found.iter().map(String::as_str).zip(expected.iter().copied());
    let differences: Vec<_> = pairs.filter(|(rust, c)| rust != c).collect();
    assert!(differences.is_empty(), "(Rust, C): {:?}", differences);
    assert_eq!(found.len(), expected.len());
}
