//! Callbacks that panic: one that must not unwind, one that may.
use std::os::raw::c_void;

#[no_mangle]
pub extern "C" fn spike_panic(_: *mut c_void, _: *mut c_void, _: *const c_void) -> i32 {
    panic!("a panic in extern \"C\"")
}

#[no_mangle]
pub extern "C-unwind" fn spike_panic_unwind(
    _: *mut c_void,
    _: *mut c_void,
    _: *const c_void,
) -> i32 {
    panic!("a panic in extern \"C-unwind\"")
}

/// The same panic, caught where a Rust SDK catches it.
#[no_mangle]
pub extern "C" fn spike_value() -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(|| panic!("caught")).is_err() as i32
}
