// A panic that leaves a function of the C ABI: Rust ends the process.

#[no_mangle]
pub extern "C" fn rust_panics(index: usize) -> u8 {
    let bytes = [1u8, 2, 3];
    bytes[std::hint::black_box(index)]
}
