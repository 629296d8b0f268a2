//! The C functions of operators, and the description that the host reads.

use std::os::raw::{c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::codec::{Codec, Decoder};
use crate::config::Config;
use crate::context::{FiredTimer, Record, HOST};
use crate::declare::{Declare, NamedDecl, StateDecl};
use crate::error::{fill, Error, Result};
use crate::frame::{caught, Frame};
use crate::operator::Operator;
use crate::raw::*;
use crate::state::lent;

/// An operator at work, at an address that does not change.
struct Instance<T> {
    subject: T,
    frame: Frame,
}

// SAFETY of the callbacks: `this` is what `create` has made and `destroy` frees; the host makes one
// call at a time, and its pointers are valid until the callback returns.  Nothing unwinds out of
// them: `caught`, here or in the frame, runs whatever is the operator's.

unsafe fn of<'a, T>(this: *mut c_void) -> &'a mut Instance<T> {
    &mut *(this as *mut Instance<T>)
}

unsafe extern "C" fn create<T: Operator>(
    args: *const apus_args,
    this: *mut *mut c_void,
    slot: *mut apus_error,
) -> i32 {
    let made = caught(|| {
        let mut subject = T::new(&mut Declare::default());
        subject.configure(&Config::from_args(&*args)?)?;
        Ok(Box::new(Instance { subject, frame: Frame::new() }))
    });
    match made {
        Ok(instance) => {
            *this = Box::into_raw(instance) as *mut c_void;
            APUS_OK
        }
        Err(Error::Fatal(reason)) => fill(slot, APUS_FATAL, &reason),
        Err(error) => fill(slot, APUS_CONFIG, error.reason()),
    }
}

unsafe extern "C" fn destroy<T: Operator>(this: *mut c_void) {
    // What a destructor panics about, nobody can be told any more.
    let _ = caught(|| {
        drop(Box::from_raw(this as *mut Instance<T>));
        Ok(())
    });
}

unsafe extern "C" fn open<T: Operator>(this: *mut c_void, ctx: *mut apus_ctx) -> i32 {
    let Instance { subject, frame } = of::<T>(this);
    frame.run_alone(ctx, |context| subject.open(context))
}

unsafe extern "C" fn close<T: Operator>(this: *mut c_void, ctx: *mut apus_ctx) {
    let Instance { subject, frame } = of::<T>(this);
    frame.run_alone(ctx, |_| {
        subject.close();
        Ok(())
    });
}

unsafe extern "C" fn process<T: Operator>(
    this: *mut c_void,
    ctx: *mut apus_ctx,
    batch: *const apus_batch,
) -> i32 {
    let Instance { subject, frame } = of::<T>(this);
    frame.run(ctx, batch, |index, context| subject.process(Record::new(batch, index), context))
}

unsafe extern "C" fn process_broadcast<T: Operator>(
    this: *mut c_void,
    ctx: *mut apus_ctx,
    batch: *const apus_batch,
) -> i32 {
    let Instance { subject, frame } = of::<T>(this);
    frame.run(ctx, batch, |index, context| {
        subject.process_broadcast(Record::new(batch, index), context)
    })
}

unsafe extern "C" fn on_timers<T: Operator>(
    this: *mut c_void,
    ctx: *mut apus_ctx,
    timers: *const apus_timers,
) -> i32 {
    let Instance { subject, frame } = of::<T>(this);
    frame.run(ctx, (*timers).batch, |index, context| {
        subject.on_timer(FiredTimer::new(timers, index), context)
    })
}

unsafe extern "C" fn on_watermark<T: Operator>(
    this: *mut c_void,
    ctx: *mut apus_ctx,
    time: i64,
) -> i32 {
    let Instance { subject, frame } = of::<T>(this);
    frame.run_alone(ctx, |context| subject.on_watermark(time, context))
}

/// Migrates one value of a state, forward or back.
pub(crate) unsafe extern "C" fn migrate<T: Codec>(
    from: *const apus_migration,
    to: *mut apus_writer,
    slot: *mut apus_error,
) -> i32 {
    let migrated = caught(|| {
        let mut bytes = Vec::new();
        let mut decoder = Decoder::new(lent((*from).value));
        let value = T::decode_version((*from).from_version, &mut decoder)?;
        value.encode_version((*from).to_version, &mut bytes)?;
        Ok(bytes)
    });
    match (migrated, (*to).write) {
        (Ok(bytes), Some(write)) => {
            write(to, bytes.as_ptr() as *const c_void, bytes.len() as u64)
        }
        (Ok(_), None) => fill(slot, APUS_FATAL, "the writer has no function"),
        (Err(error), _) => fill(slot, APUS_INCOMPATIBLE, error.reason()),
    }
}

// MARK: The description: structs that are made once and never freed.

fn text(text: &'static str) -> apus_str {
    apus_str { data: text.as_ptr() as *const c_char, len: text.len() as u64 }
}

fn size<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

fn forever<T>(value: T) -> *const T {
    Box::into_raw(Box::new(value))
}

fn list<D, T>(from: &[D], make: impl Fn(&D) -> T) -> *const *const T {
    let pointers: Vec<*const T> = from.iter().map(|decl| forever(make(decl))).collect();
    Box::leak(pointers.into_boxed_slice()).as_ptr()
}

fn port(decl: &NamedDecl) -> apus_port {
    apus_port {
        size: size::<apus_port>(),
        flags: 0,
        name: text(decl.name),
        summary: text(decl.summary),
    }
}

fn counter(decl: &NamedDecl) -> apus_counter_decl {
    apus_counter_decl {
        size: size::<apus_counter_decl>(),
        flags: 0,
        name: text(decl.name),
        summary: text(decl.summary),
    }
}

fn timer(decl: &NamedDecl) -> apus_timer_decl {
    apus_timer_decl {
        size: size::<apus_timer_decl>(),
        domain: decl.domain,
        name: text(decl.name),
        schema_version: 0,
        min_readable: 0,
        migrate: None,
    }
}

fn state(decl: &StateDecl) -> apus_state_decl {
    apus_state_decl {
        size: size::<apus_state_decl>(),
        kind: decl.kind,
        name: text(decl.name),
        schema_version: decl.version,
        fixed_len: decl.fixed,
        flags: 0,
        reserved: 0,
        schema: text(decl.schema),
        min_readable: decl.migrate.map_or(0, |_| decl.oldest),
        migration_flags: if decl.goes_back { APUS_MIGRATES_BACK as u32 } else { 0 },
        renamed_from: text(decl.renamed_from),
        migrate: decl.migrate,
    }
}

fn operator_state(decl: &StateDecl) -> apus_operator_state_decl {
    apus_operator_state_decl {
        size: size::<apus_operator_state_decl>(),
        redistribution: decl.kind,
        name: text(decl.name),
        schema_version: decl.version,
        flags: 0,
        schema: text(decl.schema),
        min_readable: decl.migrate.map_or(0, |_| decl.oldest),
        reserved: 0,
        renamed_from: text(decl.renamed_from),
        migrate: decl.migrate,
    }
}

fn functions<T: Operator>() -> apus_operator_vt {
    apus_operator_vt {
        size: size::<apus_operator_vt>(),
        reserved: 0,
        open: Some(open::<T>),
        close: Some(close::<T>),
        process: Some(process::<T>),
        on_timers: if T::KEYED { Some(on_timers::<T>) } else { None },
        on_watermark: Some(on_watermark::<T>),
        process_broadcast: if T::BROADCAST_INPUT_COUNT > 0 {
            Some(process_broadcast::<T>)
        } else {
            None
        },
        on_async: None,
        cancel: None,
        on_event: None,
    }
}

/// Describes an operator.
#[doc(hidden)]
pub fn component<T: Operator>() -> Result<*const apus_component> {
    let mut declare = Declare::default();
    drop(T::new(&mut declare));
    if !T::KEYED && (!declare.states.is_empty() || !declare.timers.is_empty()) {
        return Err(Error::config(format!(
            "operator '{}' declares state or timers, so its KEYED must be true",
            T::ID
        )));
    }
    let main = NamedDecl { name: T::MAIN_OUTPUT, summary: "the main output", domain: 0 };
    declare.outputs.insert(0, main);
    let accepts = if T::ACCEPTS_RECORDS_WITHOUT_KEY { APUS_ACCEPTS_NULL_KEY } else { 0 };
    Ok(forever(apus_component {
        size: size::<apus_component>(),
        kind: APUS_OPERATOR,
        create: create::<T>,
        destroy: destroy::<T>,
        vt: forever(functions::<T>()) as *const c_void,
        id: text(T::ID),
        summary: text(T::SUMMARY),
        flags: accepts | if T::KEYED { APUS_KEYED } else { 0 },
        input_count: T::INPUT_COUNT,
        output_count: declare.outputs.len() as u32,
        state_count: declare.states.len() as u32,
        timer_count: declare.timers.len() as u32,
        counter_count: declare.metrics.len() as u32,
        outputs: list(&declare.outputs, port),
        states: list(&declare.states, state),
        timers: list(&declare.timers, timer),
        counters: list(&declare.metrics, counter),
        broadcast_input_count: T::BROADCAST_INPUT_COUNT,
        broadcast_count: declare.broadcasts.len() as u32,
        broadcasts: list(&declare.broadcasts, state),
        operator_state_count: declare.operator_states.len() as u32,
        operator_state_flags: 0,
        operator_states: list(&declare.operator_states, operator_state),
        histogram_count: 0,
        reserved_03: 0,
        histograms: ptr::null(),
        needs: ptr::null(),
        get_extension: None,
    }))
}

/// Where a plugin keeps its description, once it is made.
#[doc(hidden)]
pub type PluginCell = AtomicPtr<apus_plugin>;

/// The entry function, in all but name.
///
/// # Safety
///
/// For the host, which calls it once at a time.
#[doc(hidden)]
pub unsafe fn describe(
    cell: &PluginCell,
    host: *const apus_host,
    slot: *mut apus_error,
    identity: [&'static str; 3],
    components: &[fn() -> Result<*const apus_component>],
) -> *const apus_plugin {
    HOST.store(host as *mut apus_host, Ordering::Release);
    let known = cell.load(Ordering::Acquire);
    if !known.is_null() {
        return known;
    }
    let made = caught(|| {
        let pointers: Result<Vec<_>> = components.iter().map(|make| make()).collect();
        let pointers = Box::leak(pointers?.into_boxed_slice());
        Ok(forever(apus_plugin {
            size: size::<apus_plugin>(),
            abi_minor: APUS_ABI_MINOR,
            abi_minor_floor: APUS_ABI_MINOR_FLOOR,
            id: text(identity[0]),
            version: text(identity[1]),
            vendor: text(identity[2]),
            component_count: pointers.len() as u32,
            reserved: 0,
            components: pointers.as_ptr(),
        }))
    });
    match made {
        Ok(plugin) => {
            cell.store(plugin as *mut apus_plugin, Ordering::Release);
            plugin
        }
        Err(error) => {
            fill(slot, APUS_CONFIG, error.reason());
            ptr::null()
        }
    }
}

/// The note in the file that the host reads before any code runs.
#[doc(hidden)]
pub const fn note() -> apus_elf_note {
    apus_elf_note {
        name_size: 5,
        descriptor_size: std::mem::size_of::<apus_note>() as u32,
        r#type: 1,
        name: *b"Apus\0\0\0\0",
        note: apus_note {
            size: std::mem::size_of::<apus_note>() as u32,
            abi_major: APUS_ABI_MAJOR,
            abi_minor: APUS_ABI_MINOR,
            abi_minor_floor: APUS_ABI_MINOR_FLOOR,
            language: APUS_LANGUAGE_RUST,
            sdk_version: (APUS_ABI_MAJOR as u32) << 16 | (APUS_ABI_MINOR as u32) << 8,
            flags: 0,
            layout_id: APUS_LAYOUT_ID,
            zero: [0; 28],
        },
    }
}

/// Exports the operators of a plugin: once, in the crate of a `cdylib`.
///
/// ```ignore
/// apus::plugin! {
///     id: "com.example.visits", version: "1.0.0", vendor: "Example",
///     operators: [Visits, Returns]
/// }
/// ```
#[macro_export]
macro_rules! plugin {
    (
        id: $id:expr, version: $version:expr, vendor: $vendor:expr,
        operators: [$($operator:ty),+ $(,)?] $(,)?
    ) => {
        #[doc(hidden)]
        #[used]
        #[link_section = ".note.apus"]
        static APUS_PLUGIN_NOTE: $crate::raw::apus_elf_note = $crate::note();

        /// The one function that the host looks for.
        ///
        /// # Safety
        ///
        /// For the host.
        #[no_mangle]
        pub unsafe extern "C" fn apus_plugin_v0(
            host: *const $crate::raw::apus_host,
            error: *mut $crate::raw::apus_error,
        ) -> *const $crate::raw::apus_plugin {
            static PLUGIN: $crate::PluginCell =
                $crate::PluginCell::new(::std::ptr::null_mut());
            $crate::describe(
                &PLUGIN,
                host,
                error,
                [$id, $version, $vendor],
                &[$($crate::component::<$operator>),+],
            )
        }
    };
}
